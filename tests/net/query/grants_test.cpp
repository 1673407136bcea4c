// Every door, asked by users with one right each: who is let in is what net/auth/grants says, and nobody learns what is there.
#include "net/query/statement_rights.hpp"
#include "tests/net/doors/doors_world.hpp"
#include "txn/schema/ddl_parser.hpp"

namespace penstock::net {
namespace {

constexpr unsigned char kSalt[16] = {1, 2, 3};
constexpr const char* kTable =
    "CREATE TABLE t (k INT NOT NULL, v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2";

UserEntry user(std::string name, std::string password, Grants grants) {
  return {std::move(name), *PasswordHash::parse(hash_password(password, kSalt, 1000)), std::move(grants)};
}
Grants on(std::string_view database, Rights rights) {
  Grants grants;
  grants.add(database, rights);
  return grants;
}

const std::vector<UserEntry>& users() {
  static const std::vector<UserEntry> kUsers = {
      user("root", "", Grants::all()),
      user("loader", "l", on("db", {Right::Load})),
      user("reader", "r", on("db", {Right::Select})),
      user("changer", "c", on("db", {Right::Alter})),
      user("owner", "o", on("db", {Right::Admin})),
      user("maker", "m", on("*", {Right::Alter})),
      user("nobody", "n", Grants()),
  };
  return kUsers;
}

struct Asked {
  const char* what;
  Act act;
  std::string method_and_target;
  std::string headers;
  std::string body;
};

std::string statement(const std::string& text) { return R"({"stmt": ")" + text + "\"}"; }

// One request a door; {db} stands for the database.
std::vector<Asked> doors_of(const std::string& db) {
  const std::string api = "/api/" + db;
  const std::string query = "POST /api/query/default_cluster/" + db;
  const std::string elsewhere = "POST /api/query/default_cluster/another";
  return {
      {"load", Act::Load, "PUT " + api + "/t/_stream_load", "Expect: 100-continue\r\n", "1\t1\n"},
      {"load, with the cluster", Act::Load, "PUT /api/default_cluster:" + db + "/t/_stream_load", "",
       "1\t1\n"},
      {"load, escaped", Act::Load, "PUT /api/%" + std::string("64") + db.substr(1) + "/t/_stream_load", "",
       "1\t1\n"},
      {"probe", Act::Load, "PUT " + api + "/t/_stream_load", "two_phase_commit: true\r\nlabel: probe\r\n",
       ""},
      {"commit", Act::EndTransaction, "PUT " + api + "/_stream_load_2pc",
       "txn_id: 77\r\ntxn_operation: commit\r\n", ""},
      {"abort", Act::EndTransaction, "PUT " + api + "/t/_stream_load_2pc",
       "label: x\r\ntxn_operation: abort\r\n", ""},
      {"scan", Act::Scan, "GET " + api + "/t/_scan?columns=count(*)", "", ""},
      {"schema", Act::Describe, "GET " + api + "/t/_schema", "", ""},
      {"load state", Act::Describe, "GET " + api + "/get_load_state?label=x", "", ""},
      {"transactions", Act::ListTransactions, "GET /api/_transactions?db=" + db, "", ""},
      {"abort all", Act::ListTransactions, "POST /api/_transactions/abort?db=" + db + "&label_prefix=x", "",
       ""},
      {"SHOW TABLES", Act::Describe, query, "", statement("SHOW TABLES")},
      {"SHOW TABLES FROM", Act::Describe, elsewhere, "", statement("SHOW TABLES FROM " + db)},
      {"DESC", Act::Describe, elsewhere, "", statement("DESC `" + db + "`.`t`")},
      {"SHOW COLUMNS FROM t FROM db", Act::Describe, elsewhere, "",
       statement("SHOW COLUMNS FROM t FROM " + db)},
      {"SHOW CREATE TABLE", Act::Describe, elsewhere, "",
       statement("SHOW CREATE TABLE default_cluster:" + db + ".t")},
      {"CREATE TABLE", Act::ChangeTable, query, "",
       statement("CREATE TABLE IF NOT EXISTS t (k INT) DUPLICATE KEY(k)")},
      {"CREATE TABLE LIKE", Act::ChangeTable, elsewhere, "",
       statement("CREATE TABLE IF NOT EXISTS " + db + ".u LIKE " + db + ".t")},
      {"TRUNCATE", Act::ChangeTable, elsewhere, "", statement("TRUNCATE TABLE internal." + db + ".t")},
      {"DROP TABLE", Act::ChangeTable, elsewhere, "", statement("DROP TABLE IF EXISTS " + db + ".u")},
      {"CREATE DATABASE", Act::ChangeDatabase, query, "", statement("CREATE DATABASE IF NOT EXISTS " + db)},
      {"DROP DATABASE", Act::ChangeDatabase, query, "", statement("DROP DATABASE IF EXISTS " + db)},
  };
}

Reply ask_as(DoorsWorld& doors, const UserEntry& who, const Asked& asked) {
  const char* const password = who.name == "root" ? "" : nullptr;
  const std::string secret = password != nullptr ? password : who.name.substr(0, 1);
  return doors.ask(asked.method_and_target + " HTTP/1.1\r\nHost: a\r\nAuthorization: Basic " +
                   base64_encode(who.name + ":" + secret) + "\r\nConnection: close\r\n" + asked.headers +
                   "Content-Length: " + std::to_string(asked.body.size()) + "\r\n\r\n" + asked.body);
}

bool is_denied(const Reply& reply) { return reply.body.find("Access denied; you need") != std::string::npos; }

TEST(GrantedDoors, each_door_lets_in_who_has_its_right_on_that_database) {
  DoorsWorld doors({.shards = 2, .split_percent = 0, .users = users()});
  for (const UserEntry& who : users()) {
    for (const std::string db : {"db", "dh"}) {
      doors.must("CREATE DATABASE IF NOT EXISTS db");
      doors.must("CREATE DATABASE IF NOT EXISTS dh");
      doors.must("CREATE TABLE IF NOT EXISTS " + db + ".t" + std::string(kTable).substr(14));
      for (const Asked& asked : doors_of(db)) {
        SCOPED_TRACE(who.name + " asks for " + asked.what + " of " + db);
        const Reply reply = ask_as(doors, who, asked);
        EXPECT_EQ(is_denied(reply), !who.grants.permit(asked.act, db)) << reply.body;
        EXPECT_EQ(reply.status, is_denied(reply) && asked.act == Act::Scan ? 403 : 200) << reply.body;
      }
    }
  }
}

TEST(GrantedDoors, a_database_without_a_grant_answers_as_one_that_does_not_exist) {
  DoorsWorld doors({.split_percent = 0, .users = users()});
  doors.must("CREATE DATABASE dh");
  doors.must(kTable, "dh");
  const std::vector<Asked> there = doors_of("dh");
  const std::vector<Asked> missing = doors_of("di");
  for (const char* name : {"loader", "reader", "changer", "owner", "nobody"}) {
    const auto who = std::ranges::find(users(), name, &UserEntry::name);
    for (std::size_t i = 0; i < there.size(); ++i) {
      SCOPED_TRACE(std::string(name) + ": " + there[i].what);
      const Reply one = ask_as(doors, *who, there[i]);
      const Reply other = ask_as(doors, *who, missing[i]);
      EXPECT_EQ(one.status, other.status);
      EXPECT_EQ(one.body, other.body);
    }
  }
}

TEST(GrantedDoors, texts_of_a_refusal_are_those_of_each_door) {
  DoorsWorld doors({.split_percent = 0, .users = users()});
  const UserEntry& nobody = users().back();
  const std::vector<Asked> asked = doors_of("db");
  const auto reply_to = [&](const std::string& what) {
    return ask_as(doors, nobody, *std::ranges::find(asked, what, &Asked::what));
  };
  const Reply load = reply_to("load");
  EXPECT_EQ(field_of(load.body, "Status"), "Fail");
  EXPECT_EQ(field_of(load.body, "TxnId"), "-1");
  EXPECT_EQ(field_of(load.body, "Message"), "[NOT_AUTHORIZED]" + access_denied(Act::Load));
  EXPECT_EQ(reply_to("commit").body,
            "{\n    \"status\": \"NOT_AUTHORIZED\",\n    \"msg\": \"" + access_denied(Act::Load) + "\"\n}");
  EXPECT_EQ(reply_to("schema").body, R"({"msg":"Unauthorized","code":401,"data":")" +
                                         access_denied(Act::Describe) + R"(","count":0})");
  EXPECT_EQ(reply_to("TRUNCATE").body, R"({"msg":"Unauthorized","code":401,"data":")" +
                                           access_denied(Act::ChangeTable) + R"(","count":0})");
}

TEST(GrantedDoors, lists_name_only_what_the_user_may_see) {
  DoorsWorld doors({.split_percent = 0, .users = users()});
  for (const char* name : {"db", "dh", "di"}) doors.must("CREATE DATABASE " + std::string(name));
  const auto seen_by = [&](const char* name) {
    const Reply reply =
        ask_as(doors, *std::ranges::find(users(), name, &UserEntry::name),
               {"", Act::Describe, "POST /api/query/default_cluster/db", "", statement("SHOW DATABASES")});
    const std::size_t from = reply.body.find("\"data\":[") + 7;
    return reply.body.substr(from, reply.body.find(",\"status\"") - from);
  };
  EXPECT_EQ(seen_by("root"), R"([["db"],["dh"],["di"]])");
  EXPECT_EQ(seen_by("maker"), R"([["db"],["dh"],["di"]])");
  EXPECT_EQ(seen_by("loader"), R"([["db"]])");
  EXPECT_EQ(seen_by("nobody"), "[]");
}

TEST(GrantedDoors, all_transactions_are_for_who_is_admin_everywhere) {
  DoorsWorld doors({.split_percent = 0, .users = users()});
  const Asked all{"", Act::ListTransactions, "GET /api/_transactions", "", ""};
  const Asked empty{"", Act::ListTransactions, "GET /api/_transactions?db=&state=PRECOMMITTED", "", ""};
  for (const UserEntry& who : users()) {
    EXPECT_EQ(is_denied(ask_as(doors, who, all)), who.name != "root") << who.name;
    EXPECT_EQ(is_denied(ask_as(doors, who, empty)), who.name != "root") << who.name;
  }
}

TEST(GrantedDoors, a_right_on_one_database_does_not_end_a_transaction_of_another) {
  std::vector<UserEntry> two = {user("root", "", Grants::all()),
                                user("loader", "l", on("db", {Right::Load}))};
  DoorsWorld doors({.split_percent = 0, .users = two});
  for (const char* name : {"db", "dh"}) {
    doors.must("CREATE DATABASE " + std::string(name));
    doors.must(kTable, name);
  }
  const Reply prepared =
      doors.ask("PUT /api/dh/t/_stream_load HTTP/1.1\r\nHost: a\r\n" + std::string(DoorsWorld::kAuth) +
                "two_phase_commit: true\r\nlabel: theirs\r\nContent-Length: 4\r\n\r\n1\t1\n");
  ASSERT_EQ(field_of(prepared.body, "Status"), "Success") << prepared.body;
  const std::string id = field_of(prepared.body, "TxnId");
  for (const char* operation : {"commit", "abort"}) {
    const Reply reply = ask_as(doors, two[1],
                               {"", Act::EndTransaction, "PUT /api/db/_stream_load_2pc",
                                "txn_id: " + id + "\r\ntxn_operation: " + operation + "\r\n", ""});
    EXPECT_NE(reply.body.find("transaction [" + id + "] not found"), std::string::npos) << reply.body;
  }
}

// Every statement the parser knows, by what it touches.
TEST(GrantedDoors, a_statement_is_judged_by_every_database_it_touches) {
  const Grants changer = on("db", {Right::Alter});
  Grants both = changer;
  both.add("hr", {Right::Load});
  const auto denied = [](const Grants& grants, const std::string& text, const std::string& current = "db") {
    const auto parsed = txn::parse_statement(text);
    CHECK(parsed.has_value());
    return denied_act(grants, *parsed, current);
  };
  EXPECT_EQ(denied(changer, "CREATE TABLE a LIKE b"), std::nullopt);
  EXPECT_EQ(denied(changer, "CREATE TABLE a LIKE hr.b"), Act::Describe);
  EXPECT_EQ(denied(both, "CREATE TABLE a LIKE hr.b"), std::nullopt);
  EXPECT_EQ(denied(both, "CREATE TABLE hr.a LIKE b"), Act::ChangeTable);
  EXPECT_EQ(denied(both, "CREATE TABLE a LIKE db.b", "hr"), Act::ChangeTable);
  EXPECT_EQ(denied(both, "DROP TABLE t", "hr"), Act::ChangeTable);
  EXPECT_EQ(denied(both, "DROP TABLE db.t", "hr"), std::nullopt);
  EXPECT_EQ(denied(both, "TRUNCATE TABLE `hr`.`t`"), Act::ChangeTable);
  EXPECT_EQ(denied(both, "CREATE DATABASE db"), Act::ChangeDatabase);
  EXPECT_EQ(denied(on("*", {Right::Alter}), "CREATE DATABASE x"), std::nullopt);
  EXPECT_EQ(denied(on("db", {Right::Admin}), "DROP DATABASE db FORCE"), std::nullopt);
  EXPECT_EQ(denied(on("db", {Right::Admin}), "DROP DATABASE hr"), Act::ChangeDatabase);
  EXPECT_EQ(denied(Grants(), "SHOW DATABASES"), std::nullopt);
  EXPECT_EQ(denied(Grants(), "SHOW TABLES"), Act::Describe);
  EXPECT_EQ(denied(changer, "SHOW FULL TABLES FROM hr"), Act::Describe);
  EXPECT_EQ(denied(changer, "SHOW FULL COLUMNS FROM db.t FROM hr"), Act::Describe);
  EXPECT_EQ(denied(changer, "DESC t", "hr"), Act::Describe);
}

}  // namespace
}  // namespace penstock::net
