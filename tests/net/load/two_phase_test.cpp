// Two-phase commit over the wire: every answer of the protocol's table, in the words that clients match.
#include <regex>

#include "tests/net/doors/doors_world.hpp"

namespace penstock::net {
namespace {

// What Flink's connector looks for (all with `find`).
const std::regex kLabelUsed(R"(Label \[(.*)\] has already been used, relate to txn \[(\d+)\])");
const std::regex kCommitted(
    R"(transaction \[(\d+)\] is already \b(COMMITTED|committed|VISIBLE|visible)\b, not pre-committed.)");
const std::regex kAborted(R"(transaction \[(\d+)\] is already|transaction \[(\d+)\] not found)");
constexpr const char* kPrefix = "errCode = 2, detailMessage = ";

class TwoPhase : public ::testing::Test {
 protected:
  TwoPhase() {
    doors.must("CREATE DATABASE db");
    doors.must("CREATE TABLE t (k INT, v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2");
  }
  // The TxnId of a load that is precommitted now.
  std::string prepare(const std::string& label, const std::string& body) {
    const Reply reply = doors.load("t", body, "two_phase_commit: true\r\nlabel: " + label + "\r\n");
    EXPECT_EQ(field_of(reply.body, "Status"), "Success") << reply.body;
    EXPECT_EQ(field_of(reply.body, "TwoPhaseCommit"), "true");
    EXPECT_EQ(field_of(reply.body, "Label"), label);
    EXPECT_EQ(field_of(reply.body, "CommitAndPublishTimeMs"), "0");
    return field_of(reply.body, "TxnId");
  }
  static std::string request(const std::string& headers, const std::string& path = "/api/db") {
    return "PUT " + path + "/_stream_load_2pc HTTP/1.1\r\nHost: penstock.example\r\n" + DoorsWorld::kAuth +
           headers + "\r\n";
  }
  // "status: msg" of an operation, asked with neither a length nor chunks.
  std::string operate(const std::string& headers, const std::string& path = "/api/db") {
    return outcome(doors.ask(request(headers, path)));
  }
  static std::string outcome(const Reply& reply) {
    EXPECT_EQ(reply.status, 200);
    return field_of(reply.body, "status") + ": " + field_of(reply.body, "msg");
  }
  static std::string by_id(const std::string& txn, const char* operation) {
    return "txn_id: " + txn + "\r\ntxn_operation: " + operation + "\r\n";
  }
  static std::string by_label(const std::string& label, const char* operation) {
    return "label: " + label + "\r\ntxn_operation: " + operation + "\r\n";
  }
  static std::string refused(const std::string& text) { return "ANALYSIS_ERROR: " + (kPrefix + text); }
  // A load whose head and some rows have come, and not its end.
  sim::SimClient open_load(const std::string& label, const std::string& rows,
                           const char* two_phase = "true") {
    sim::SimClient client = doors.world.connect(kAddress);
    client.send("PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\n" + std::string(DoorsWorld::kAuth) +
                "Expect: 100-continue\r\ntwo_phase_commit: " + two_phase + "\r\nlabel: " + label +
                "\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_TRUE(doors.run_until([&] { return reply_count(client) == 1; }));
    EXPECT_EQ(client.take_received(), "HTTP/1.1 100 Continue\r\n\r\n");
    if (!rows.empty()) client.send(chunk(rows));
    (void)doors.world.run_for(std::chrono::milliseconds(50));
    return client;
  }
  static std::string chunk(const std::string& rows) {
    return chunked(rows, rows.size()).substr(0, chunked(rows, rows.size()).size() - 5);
  }
  Reply finish(sim::SimClient& client, const std::string& rows = "") {
    if (!rows.empty()) client.send(chunk(rows));
    client.send("0\r\n\r\n");
    EXPECT_TRUE(doors.run_until([&] { return reply_count(client) == 1 || client.is_ended(); }));
    std::string text = client.take_received();
    Reply reply;
    (void)take_reply(text, reply);
    return reply;
  }
  // Of a load that is sent under a label that is taken.
  Reply ask_label(const std::string& label) {
    const Reply reply = doors.load("t", "7\t7\n", "two_phase_commit: true\r\nlabel: " + label + "\r\n");
    EXPECT_EQ(field_of(reply.body, "Status"), "Label Already Exists") << reply.body;
    EXPECT_EQ(field_of(reply.body, "TxnId"), "-1");
    EXPECT_EQ(reply.head.find("100 Continue"), std::string::npos);
    return reply;
  }
  std::string txn_of(const std::string& label) {
    std::smatch match;
    const std::string message = field_of(ask_label(label).body, "Message");
    EXPECT_TRUE(std::regex_search(message, match, kLabelUsed)) << message;
    EXPECT_EQ(match[1], label);
    return match[2];
  }

  DoorsWorld doors;
};

TEST_F(TwoPhase, a_precommitted_load_is_invisible_until_its_commit_and_visible_when_that_is_answered) {
  const std::string one = prepare("one", "1\t1\n2\t2\n");
  const std::string two = prepare("two", "3\t3\n");
  EXPECT_EQ(doors.scan("t"), "");
  const Reply reply = doors.ask(request(by_id(one, "commit")));
  EXPECT_EQ(reply.body, "{\n    \"status\": \"Success\",\n    \"msg\": \"transaction [" + one +
                            "] commit successfully.\"\n}");
  EXPECT_TRUE(reply.has("Content-Type: application/json")) << reply.head;
  EXPECT_EQ(doors.scan("t", "?order_by=k"), "1\t1\n2\t2\n");
  EXPECT_EQ(operate(by_label("two", "commit"), "/api/db/t"), "Success: label [two] commit successfully.");
  EXPECT_EQ(doors.scan("t", "?order_by=k"), "1\t1\n2\t2\n3\t3\n");
}

TEST_F(TwoPhase, every_commit_is_answered_by_the_state_of_its_transaction) {
  const std::string visible = prepare("visible", "1\t1\n");
  EXPECT_EQ(operate(by_id(visible, "commit")), "Success: transaction [" + visible + "] commit successfully.");
  for (int i = 0; i < 3; ++i) {
    const std::string again = operate(by_id(visible, "commit"));
    EXPECT_EQ(again, refused("transaction [" + visible + "] is already visible, not pre-committed."));
    EXPECT_TRUE(std::regex_search(again, kCommitted));
    EXPECT_EQ(operate(by_label("visible", "commit")), refused("transaction not found, label=visible"));
  }
  const std::string aborted = prepare("aborted", "2\t2\n");
  EXPECT_EQ(operate(by_id(aborted, "abort")), "Success: transaction [" + aborted + "] abort successfully.");
  EXPECT_EQ(operate(by_id(aborted, "commit")),
            refused("transaction [" + aborted + "] is already aborted. abort reason: User Abort"));
  EXPECT_EQ(operate(by_label("aborted", "commit")), refused("transaction not found, label=aborted"));

  sim::SimClient client = open_load("open", "3\t3\n");
  const std::string open = txn_of("open");
  EXPECT_EQ(operate(by_id(open, "commit")),
            refused("transaction [" + open + "] is prepare, not pre-committed."));
  EXPECT_EQ(operate(by_label("open", "commit")), refused("transaction not found, label=open"));
  EXPECT_EQ(field_of(finish(client).body, "Status"), "Success");
  EXPECT_EQ(operate("label: open\r\n" + by_id(open, "commit")),
            "Success: label [open] transaction [" + open + "] commit successfully.");

  EXPECT_EQ(operate(by_id("999999999", "commit")), refused("transaction [999999999] not found"));
  EXPECT_EQ(operate(by_label("nobody", "commit")), refused("transaction not found, label=nobody"));
  EXPECT_EQ(doors.scan("t", "?order_by=k"), "1\t1\n3\t3\n");
}

TEST_F(TwoPhase, every_abort_is_answered_by_the_state_of_its_transaction) {
  const std::string visible = prepare("visible", "1\t1\n");
  EXPECT_EQ(operate(by_label("visible", "commit")), "Success: label [visible] commit successfully.");
  const std::string too_late = operate(by_id(visible, "abort"));
  EXPECT_EQ(too_late, refused("transaction [" + visible + "] is already VISIBLE, could not abort."));
  EXPECT_TRUE(std::regex_search(too_late, kAborted));
  EXPECT_EQ(operate(by_label("visible", "abort")), refused("running transaction not found, label=visible"));
  EXPECT_EQ(operate(by_label("nobody", "abort")), refused("running transaction not found, label=nobody"));

  for (int i = 0; i < 3; ++i) {  // the label is free again at once
    const std::string txn = prepare("again", "2\t2\n");
    EXPECT_EQ(operate(by_label("again", "abort")), "Success: label [again] abort successfully.");
    const std::string again = operate(by_id(txn, "abort"));
    EXPECT_EQ(again, refused("transaction [" + txn + "] is already aborted, abort reason: User Abort"));
    EXPECT_TRUE(std::regex_search(again, kAborted));
    EXPECT_EQ(operate(by_label("again", "abort")), refused("running transaction not found, label=again"));
  }
  const std::string unknown = operate(by_id("999999999", "abort"));
  EXPECT_EQ(unknown, refused("transaction [999999999] not found"));
  EXPECT_TRUE(std::regex_search(unknown, kAborted));

  const Reply failed = doors.load("t", "x\ty\tz\n", "two_phase_commit: true\r\nlabel: bad\r\n");
  EXPECT_EQ(field_of(failed.body, "Status"), "Fail");
  const std::string its = operate(by_id(field_of(failed.body, "TxnId"), "abort"));
  EXPECT_TRUE(std::regex_search(its, kAborted)) << its;
  EXPECT_NE(its.find("abort reason: too many filtered rows"), std::string::npos) << its;
  EXPECT_EQ(doors.scan("t"), "1\t1\n");
}

TEST_F(TwoPhase, a_load_is_aborted_while_its_body_is_received_and_its_label_is_free_at_once) {
  for (const char* two_phase : {"true", "false"}) {
    for (const bool is_by_label : {true, false}) {
      sim::SimClient client = open_load("mine", "1\t1\n", two_phase);
      const std::string txn = txn_of("mine");
      const std::string done = operate(is_by_label ? by_label("mine", "abort") : by_id(txn, "abort"));
      EXPECT_TRUE(done.starts_with("Success: ")) << done;
      const std::string next = prepare("mine", "2\t2\n");
      EXPECT_NE(next, txn);
      const Reply late = finish(client, "3\t3\n");
      EXPECT_EQ(field_of(late.body, "Status"), "Fail") << late.body;
      EXPECT_EQ(field_of(late.body, "Message"), "[CANCELLED]the transaction was aborted: User Abort");
      EXPECT_EQ(field_of(late.body, "TxnId"), txn);
      EXPECT_EQ(operate(by_id(txn, "abort")),
                refused("transaction [" + txn + "] is already aborted, abort reason: User Abort"));
      EXPECT_EQ(operate(by_id(next, "abort")), "Success: transaction [" + next + "] abort successfully.");
    }
  }
  // The client goes away behind its abort, as Flink's does.
  sim::SimClient client = open_load("reset", "1\t1\n");
  EXPECT_TRUE(operate(by_label("reset", "abort")).starts_with("Success: "));
  client.reset();
  (void)doors.world.run_for(std::chrono::seconds(1));
  EXPECT_EQ(operate(by_label("reset", "abort")), refused("running transaction not found, label=reset"));
  EXPECT_EQ(doors.scan("t"), "");
}

TEST_F(TwoPhase, two_transactions_of_a_table_overlap_and_neither_waits) {
  const std::string first = prepare("p_0_1", "1\t1\n");
  sim::SimClient client = open_load("p_0_2", "2\t2\n");
  EXPECT_EQ(operate(by_id(first, "commit")), "Success: transaction [" + first + "] commit successfully.");
  EXPECT_EQ(doors.scan("t"), "1\t1\n");
  const Reply second = finish(client);
  EXPECT_EQ(field_of(second.body, "Status"), "Success");
  EXPECT_EQ(doors.scan("t"), "1\t1\n");
  EXPECT_TRUE(operate(by_id(field_of(second.body, "TxnId"), "commit")).starts_with("Success: "));
  EXPECT_EQ(doors.scan("t", "?order_by=k"), "1\t1\n2\t2\n");
}

TEST_F(TwoPhase, a_taken_label_says_whose_it_is_and_how_far_that_is) {
  sim::SimClient client = open_load("l", "1\t1\n");
  EXPECT_EQ(field_of(ask_label("l").body, "ExistingJobStatus"), "RUNNING");
  const std::string txn = txn_of("l");
  EXPECT_EQ(field_of(finish(client).body, "TxnId"), txn);
  EXPECT_EQ(field_of(ask_label("l").body, "ExistingJobStatus"), "PRECOMMITTED");
  EXPECT_EQ(txn_of("l"), txn);
  EXPECT_TRUE(operate(by_id(txn, "commit")).starts_with("Success: "));
  const Reply reply = ask_label("l");
  EXPECT_EQ(field_of(reply.body, "ExistingJobStatus"), "FINISHED");
  EXPECT_EQ(field_of(reply.body, "TwoPhaseCommit"), "true");
  EXPECT_EQ(
      field_of(reply.body, "Message"),
      "[LABEL_ALREADY_EXISTS]errCode = 2, detailMessage = Label [l] has already been used, relate to txn [" +
          txn + "]");
  EXPECT_EQ(doors.scan("t"), "1\t1\n");
}

// Clients that take RUNNING for done ask again at once when their connection has broken.
TEST_F(TwoPhase, a_load_whose_connection_broke_is_not_running_when_its_client_asks_again_at_once) {
  for (int i = 0; i < 20; ++i) {
    const std::string label = "broken-" + std::to_string(i);
    sim::SimClient client = open_load(label, "1\t1\n", "false");
    client.send(chunk("2\t2\n"));
    if (i % 2 == 0) {
      client.reset();
    } else {
      client.shutdown_write();
    }
    const Reply again = doors.load("t", "3\t3\n", "label: " + label + "\r\n");
    EXPECT_EQ(field_of(again.body, "Status"), "Success") << again.body;
  }
  EXPECT_EQ(doors.get("/api/db/t/_scan?columns=count(*)").body, "20\n");
}

// The start of a Flink subtask: an empty probe, its abort, and the same label for the real load.
TEST_F(TwoPhase, a_probe_is_an_empty_load_and_gives_its_label_back) {
  const std::string probe = prepare("pre_db_t_0_1", "");
  EXPECT_EQ(operate(by_id(probe, "abort") + "Expect: 100-continue\r\nContent-Length: 0\r\n"),
            "Success: transaction [" + probe + "] abort successfully.");
  const std::string load = prepare("pre_db_t_0_1", "5\t5\n");
  EXPECT_TRUE(operate(by_id(load, "commit")).starts_with("Success: "));
  const std::string empty = prepare("pre_db_t_0_2", "");
  EXPECT_TRUE(operate(by_id(empty, "commit")).starts_with("Success: "));
  EXPECT_EQ(doors.scan("t"), "5\t5\n");
}

TEST_F(TwoPhase, a_request_is_taken_in_every_form_that_clients_send) {
  int key = 0;
  for (const std::string& more :
       {std::string(), std::string("Content-Length: 0\r\n"),
        std::string("Expect: 100-continue\r\nContent-Length: 0\r\nAccept-Encoding: gzip,deflate\r\n"),
        std::string("Expect: 100-continue\r\n"), std::string("Transfer-Encoding: chunked\r\n")}) {
    for (const std::string& path : {std::string("/api/db"), std::string("/api/db/t")}) {
      const std::string txn = prepare("form-" + std::to_string(key), std::to_string(key) + "\t0\n");
      ++key;
      const std::string end = more.starts_with("Transfer") ? "0\r\n\r\n" : "";
      const Reply reply = doors.ask(request(more + by_id(txn, "commit"), path) + end);
      EXPECT_EQ(outcome(reply), "Success: transaction [" + txn + "] commit successfully.") << more << path;
      EXPECT_EQ(reply.head.find("100 Continue"), std::string::npos);
    }
  }
  // Several on one connection, without lengths.
  std::string all;
  for (int i = 0; i < 3; ++i) all += request(by_id(prepare("one-" + std::to_string(i), "9\t9\n"), "commit"));
  sim::SimClient client = doors.world.connect(kAddress);
  client.send(all);
  EXPECT_TRUE(doors.run_until([&] { return reply_count(client) == 3; })) << client.received();
  // HTTP/1.0.
  const std::string old = prepare("old", "8\t8\n");
  const Reply reply =
      doors.ask("PUT /api/db/_stream_load_2pc/ HTTP/1.0\r\n" + std::string(DoorsWorld::kAuth) +
                "Expect: 100-continue\r\n" + by_id(old, "commit") + "\r\n");
  EXPECT_EQ(outcome(reply), "Success: transaction [" + old + "] commit successfully.");
  EXPECT_EQ(doors.get("/api/db/t/_scan?columns=count(*)").body, std::to_string(key + 4) + "\n");
}

TEST_F(TwoPhase, a_request_that_makes_no_sense_is_refused_and_changes_nothing) {
  const std::string txn = prepare("l", "1\t1\n");
  EXPECT_EQ(operate("txn_operation: commit\r\n"), "INTERNAL_ERROR: transaction id or label is empty");
  EXPECT_EQ(operate("txn_id: \r\nlabel: \r\ntxn_operation: commit\r\n"),
            "INTERNAL_ERROR: transaction id or label is empty");
  for (const std::string operation :
       {"", "txn_operation: \r\n", "txn_operation: COMMIT\r\n", "txn_operation: x\r\n"}) {
    EXPECT_EQ(operate("txn_id: " + txn + "\r\n" + operation),
              "INTERNAL_ERROR: transaction operation should be 'commit' or 'abort'");
  }
  EXPECT_EQ(operate(by_id("abc", "commit")), "INTERNAL_ERROR: convert txn_id [abc] failed, reason=stoll");
  EXPECT_EQ(operate(by_id("99999999999999999999", "commit")),
            "INTERNAL_ERROR: convert txn_id [99999999999999999999] failed, reason=stoll: out of range");
  EXPECT_EQ(operate(by_id("-1", "abort")), refused("transaction [-1] not found"));
  EXPECT_EQ(operate(by_id(txn, "commit"), "/api/other"), refused("unknown database, database=other"));
  doors.must("CREATE DATABASE other");
  EXPECT_EQ(operate(by_id(txn, "commit"), "/api/other"), refused("transaction [" + txn + "] not found"));
  EXPECT_EQ(operate(by_id(txn, "abort"), "/api/other"), refused("transaction [" + txn + "] not found"));
  const Reply nobody =
      doors.ask("PUT /api/db/_stream_load_2pc HTTP/1.1\r\nHost: a\r\n" + by_id(txn, "abort") + "\r\n");
  EXPECT_EQ(nobody.status, 200);
  EXPECT_EQ(outcome(nobody), "NOT_AUTHORIZED: no valid Basic authorization");
  const auto as = [&](const std::string& authorization) {
    return outcome(doors.ask("PUT /api/db/_stream_load_2pc HTTP/1.1\r\nHost: a\r\nAuthorization: " +
                             authorization + "\r\n" + by_id(txn, "commit") + "\r\n"));
  };
  EXPECT_EQ(as("Basic ???"), "NOT_AUTHORIZED: no valid Basic authorization: the header cannot be read");
  // root:wrong. A connector must not take it for an end of the transaction.
  const std::string wrong = as("Basic cm9vdDp3cm9uZw==");
  EXPECT_EQ(wrong, "NOT_AUTHORIZED: Access denied: wrong user or password");
  EXPECT_FALSE(std::regex_search(wrong, kCommitted));
  EXPECT_FALSE(std::regex_search(wrong, kAborted));
  const std::string unauthorized = R"({"msg":"Unauthorized","code":401,"data":"Access denied: )";
  for (const char* target : {"/api/db/get_load_state?label=l", "/api/_transactions"}) {
    const Reply reply = doors.ask("GET " + std::string(target) +
                                  " HTTP/1.1\r\nHost: a\r\nAuthorization: Basic cm9vdDp3cm9uZw==\r\n\r\n");
    EXPECT_EQ(reply.status, 200);
    EXPECT_TRUE(reply.body.starts_with(unauthorized + "wrong user or password")) << reply.body;
  }
  EXPECT_EQ(operate(by_id(txn, "commit")), "Success: transaction [" + txn + "] commit successfully.");
  EXPECT_EQ(operate(by_id(txn, "commit"), "/api/other"), refused("transaction [" + txn + "] not found"));
}

TEST_F(TwoPhase, a_commit_into_a_dropped_table_succeeds_and_with_its_database_the_transaction_is_gone) {
  const std::string one = prepare("one", "1\t1\n");
  const std::string two = prepare("two", "2\t2\n");
  doors.must("DROP TABLE t");
  doors.must("CREATE TABLE t (k INT, v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2");
  EXPECT_EQ(operate(by_id(one, "commit")), "Success: transaction [" + one + "] commit successfully.");
  EXPECT_EQ(operate(by_id(one, "commit")),
            refused("transaction [" + one + "] is already visible, not pre-committed."));
  EXPECT_EQ(doors.scan("t"), "");
  doors.must("DROP DATABASE db");
  EXPECT_EQ(operate(by_id(two, "commit")), refused("unknown database, database=db"));
  doors.must("CREATE DATABASE db");
  EXPECT_EQ(operate(by_id(two, "commit")), refused("transaction [" + two + "] not found"));
  EXPECT_EQ(operate(by_id(one, "commit")), refused("transaction [" + one + "] not found"));
}

TEST_F(TwoPhase, many_commits_that_wait_together_share_records) {
  constexpr std::size_t kCount = 64;
  std::vector<std::string> txns;
  for (std::size_t i = 0; i < kCount; ++i) txns.push_back(prepare("c" + std::to_string(i), "1\t1\n"));
  const std::uint64_t before = doors.store->coordinator().stats().records;
  std::vector<sim::SimClient> clients;
  for (const std::string& txn : txns) {
    clients.push_back(doors.world.connect(kAddress));
    clients.back().send(request(by_id(txn, "commit")));
  }
  for (sim::SimClient& client : clients) {
    ASSERT_TRUE(doors.run_until([&] { return reply_count(client) == 1; }));
    EXPECT_TRUE(outcome(replies_of(client).front()).starts_with("Success: "));
  }
  EXPECT_LE(doors.store->coordinator().stats().records - before, kCount / 4);
  EXPECT_EQ(doors.get("/api/db/t/_scan?columns=count(*)").body, std::to_string(kCount) + "\n");
}

}  // namespace
}  // namespace penstock::net
