// What an operator sees of open and prepared loads, how he ends them, and what connectors ask before they load.
#include "tests/net/doors/doors_world.hpp"

namespace penstock::net {
namespace {

class Transactions : public ::testing::Test {
 protected:
  Transactions() {
    for (const char* database : {"db", "other"}) {
      doors.must(std::string("CREATE DATABASE ") + database);
      doors.must(std::string("CREATE TABLE ") + database +
                 ".t (k INT, v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2");
    }
  }
  std::string prepare(const std::string& label, const std::string& body, const std::string& database = "db") {
    const Reply reply = doors.ask("PUT /api/" + database + "/t/_stream_load HTTP/1.1\r\nHost: a\r\n" +
                                  DoorsWorld::kAuth + "two_phase_commit: true\r\nlabel: " + label +
                                  "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_EQ(field_of(reply.body, "Status"), "Success") << reply.body;
    return field_of(reply.body, "TxnId");
  }
  sim::SimClient open_load(const std::string& label) {
    sim::SimClient client = doors.world.connect(kAddress);
    client.send("PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\n" + std::string(DoorsWorld::kAuth) +
                "Expect: 100-continue\r\nlabel: " + label + "\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_TRUE(doors.run_until([&] { return reply_count(client) == 1; }));
    (void)client.take_received();
    return client;
  }
  std::string data_of(const std::string& target) {
    const std::string body = doors.get(target).body;
    const std::string begin = R"({"msg":"success","code":0,"data":)";
    EXPECT_TRUE(body.starts_with(begin)) << body;
    return body.substr(begin.size(), body.size() - begin.size() - std::string(R"(,"count":0})").size());
  }
  std::string post(const std::string& target) {
    return doors
        .ask("POST " + target + " HTTP/1.1\r\nHost: a\r\n" + DoorsWorld::kAuth + "Content-Length: 0\r\n\r\n")
        .body;
  }
  std::string commit(const std::string& label) {
    return field_of(
        doors
            .ask("PUT /api/db/_stream_load_2pc HTTP/1.1\r\nHost: a\r\n" + std::string(DoorsWorld::kAuth) +
                 "label: " + label + "\r\ntxn_operation: commit\r\n\r\n")
            .body,
        "status");
  }
  static std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  }

  DoorsWorld doors;
};

TEST_F(Transactions, the_state_of_a_label_is_told_through_its_whole_life) {
  const auto state = [&](const std::string& label) {
    return data_of("/api/db/get_load_state?label=" + label);
  };
  EXPECT_EQ(state("l"), R"("UNKNOWN")");
  sim::SimClient client = open_load("l");
  EXPECT_EQ(state("l"), R"("PREPARE")");
  client.reset();
  (void)doors.world.run_for(std::chrono::seconds(1));
  EXPECT_EQ(state("l"), R"("ABORTED")");
  (void)prepare("l", "1\t1\n");
  EXPECT_EQ(state("l"), R"("PRECOMMITTED")");
  EXPECT_EQ(commit("l"), "Success");
  EXPECT_EQ(state("l"), R"("VISIBLE")");
  EXPECT_EQ(data_of("/api/other/get_load_state?label=l"), R"("UNKNOWN")");
  EXPECT_EQ(data_of("/api/nowhere/get_load_state?label=l"), R"("UNKNOWN")");
  EXPECT_EQ(doors.get("/api/db/get_load_state").body,
            R"({"msg":"Bad Request","code":403,"data":"No label selected.","count":0})");
}

TEST_F(Transactions, what_is_open_or_prepared_is_listed_with_its_age_and_what_it_holds) {
  EXPECT_EQ(data_of("/api/_transactions"), R"({"transactions":[],"more":false})");
  const std::string one = prepare("job_1", "1\t1\n2\t2\n");
  const std::string two = prepare("job_2", "");
  const std::string other = prepare("job_1", "1\t1\n", "other");
  sim::SimClient client = open_load("job_3");
  (void)doors.world.run_for(std::chrono::seconds(90));
  const std::string all = data_of("/api/_transactions");
  EXPECT_EQ(count(all, "\"txn\":"), 4u) << all;
  const std::string line = data_of("/api/_transactions?db=db&state=PRECOMMITTED&limit=1");
  const std::string begin =
      R"({"transactions":[{"txn":)" + one +
      R"(,"state":"PRECOMMITTED","two_phase":true,"db":"db","table":"t","label":"job_1","age_seconds":90,"rows":2,"bytes":)";
  EXPECT_TRUE(line.starts_with(begin)) << line;
  EXPECT_FALSE(line.starts_with(begin + "0}")) << line;
  EXPECT_TRUE(line.ends_with(R"(}],"more":true})")) << line;
  const std::string next = data_of("/api/_transactions?db=db&state=PRECOMMITTED&limit=1&after=" + one);
  EXPECT_TRUE(next.starts_with(R"({"transactions":[{"txn":)" + two)) << next;
  EXPECT_TRUE(next.ends_with(R"("age_seconds":90,"rows":0,"bytes":0}],"more":false})")) << next;
  const std::string open = data_of("/api/_transactions?state=PREPARE");
  EXPECT_EQ(count(open, "\"txn\":"), 1u);
  EXPECT_NE(
      open.find(
          R"("two_phase":false,"db":"db","table":"t","label":"job_3","age_seconds":90,"rows":null,"bytes":null)"),
      std::string::npos)
      << open;
  EXPECT_EQ(count(data_of("/api/_transactions?label_prefix=job_1"), "\"txn\":"), 2u);
  EXPECT_EQ(count(data_of("/api/_transactions?db=nowhere"), "\"txn\":"), 0u);
  doors.must("DROP TABLE other.t");
  EXPECT_NE(data_of("/api/_transactions?db=other").find(R"("table":null)"), std::string::npos);
  for (const char* wrong : {"state=VISIBLE", "after=x", "limit=0", "limit=100000"})
    EXPECT_EQ(
        doors.get(std::string("/api/_transactions?") + wrong).body.find(R"({"msg":"Bad Request","code":403)"),
        0u);
  EXPECT_NE(doors.ask("GET /api/_transactions HTTP/1.1\r\nHost: a\r\n\r\n").body.find("\"code\":401"),
            std::string::npos);
}

TEST_F(Transactions, those_of_a_label_prefix_are_ended_together_and_no_others) {
  for (int i = 0; i < 40; ++i) (void)prepare("old_" + std::to_string(i), "1\t1\n");
  (void)prepare("new_1", "2\t2\n");
  (void)prepare("old_1", "3\t3\n", "other");
  sim::SimClient client = open_load("old_open");
  EXPECT_EQ(commit("old_7"), "Success");
  EXPECT_EQ(post("/api/_transactions/abort?db=db&label_prefix=old_"),
            R"({"msg":"success","code":0,"data":{"aborted":40,"refused":0,"first_refusal":""},"count":0})");
  EXPECT_EQ(data_of("/api/db/get_load_state?label=old_3"), R"("ABORTED")");
  EXPECT_EQ(data_of("/api/db/get_load_state?label=old_open"), R"("ABORTED")");
  EXPECT_EQ(data_of("/api/db/get_load_state?label=old_7"), R"("VISIBLE")");
  EXPECT_EQ(data_of("/api/db/get_load_state?label=new_1"), R"("PRECOMMITTED")");
  EXPECT_EQ(data_of("/api/other/get_load_state?label=old_1"), R"("PRECOMMITTED")");
  for (const char* query : {"", "?db=db", "?label_prefix=old_", "?db=db&label_prefix="})
    EXPECT_NE(post(std::string("/api/_transactions/abort") + query).find("\"code\":403"), std::string::npos)
        << query;
  EXPECT_EQ(doors.scan("t"), "1\t1\n");
}

TEST_F(Transactions, connectors_are_told_columns_backends_and_that_the_server_is_up) {
  doors.must(
      "CREATE TABLE db.w (k DATE NOT NULL COMMENT 'day', a DECIMAL(9,2), b DECIMAL(18,3), c DECIMAL(38,0), d "
      "DATETIME(3), "
      "e VARCHAR(20), f STRING, g ARRAY<INT>, h LARGEINT, i JSON, j BOOLEAN) DUPLICATE KEY(k) DISTRIBUTED BY "
      "HASH(k) BUCKETS 1");
  const std::string schema = data_of("/api/db/w/_schema");
  EXPECT_TRUE(schema.starts_with(
      R"({"status":200,"tableType":"OLAP","keysType":"DUP_KEYS","properties":[{"name":"k","type":"DATEV2","comment":"day","aggregation_type":""},)"
      R"({"name":"a","type":"DECIMAL32","comment":"","precision":"9","scale":"2","aggregation_type":"NONE"},)"
      R"({"name":"b","type":"DECIMAL64","comment":"","precision":"18","scale":"3","aggregation_type":"NONE"},)"
      R"({"name":"c","type":"DECIMAL128",)"))
      << schema;
  for (const char* type : {"DATETIMEV2", "VARCHAR", "STRING", "ARRAY", "LARGEINT", "JSON", "BOOLEAN"})
    EXPECT_NE(schema.find(std::string("\"type\":\"") + type + "\""), std::string::npos) << type;
  EXPECT_NE(doors.get("/api/db/none/_schema").body.find("Unknown table 'none'"), std::string::npos);
  EXPECT_NE(doors.get("/api/none/t/_schema").body.find("Unknown database 'none'"), std::string::npos);
  EXPECT_EQ(data_of("/api/backends?is_alive=true"),
            R"({"backends":[{"ip":"penstock.example","http_port":8040,"is_alive":true}]})");
  const Reply bootstrap = doors.ask("GET /api/bootstrap HTTP/1.1\r\nHost: a\r\n\r\n");  // without credentials
  EXPECT_EQ(bootstrap.body,
            R"({"msg":"success","code":0,"data":{"replayedJournalId":0,"queryPort":0,"rpcPort":0,)"
            R"("version":"","startTime":0},"count":0})");
}

}  // namespace
}  // namespace penstock::net
