// A client that does not get its answer asks again, on another connection, and acts on what it is told then: what the Flink
// connector's recorded restarts do (its commits four times within milliseconds).
#include <regex>

#include "tests/net/doors/doors_world.hpp"

namespace penstock::net {
namespace {

const std::regex kLabelUsed(R"(Label \[(.*)\] has already been used, relate to txn \[(\d+)\])");
const std::regex kCommitted(
    R"(transaction \[(\d+)\] is already \b(COMMITTED|committed|VISIBLE|visible)\b, not pre-committed.)");
const std::regex kAborted(R"(transaction \[(\d+)\] is already|transaction \[(\d+)\] not found)");

class LostReply : public ::testing::TestWithParam<int> {
 protected:
  LostReply() : doors({.seed = static_cast<std::uint64_t>(GetParam())}) {
    doors.must("CREATE DATABASE db");
    doors.must("CREATE TABLE t (k INT, v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2");
  }
  static std::string load_request(const std::string& label, const std::string& body) {
    return "PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\n" + std::string(DoorsWorld::kAuth) +
           "two_phase_commit: true\r\nlabel: " + label + "\r\nTransfer-Encoding: chunked\r\n\r\n" +
           chunked(body, 100);
  }
  static std::string operation(const std::string& txn, const std::string& kind) {
    return "PUT /api/db/_stream_load_2pc HTTP/1.1\r\nHost: a\r\n" + std::string(DoorsWorld::kAuth) +
           "txn_id: " + txn + "\r\ntxn_operation: " + kind + "\r\n\r\n";
  }
  // Sends it, and is gone at some moment before or behind the answer.
  void send_and_go(const std::string& request) {
    sim::SimClient client = doors.world.connect(kAddress);
    client.send(request);
    (void)doors.world.run_for(std::chrono::microseconds(GetParam() * 40));
    GetParam() % 2 == 0 ? client.reset() : client.shutdown_write();
  }
  std::string load(const std::string& label, const std::string& body) {
    const Reply reply = doors.ask(load_request(label, body));
    const std::string status = field_of(reply.body, "Status");
    if (status == "Success") return field_of(reply.body, "TxnId");
    EXPECT_EQ(status, "Label Already Exists") << reply.body;
    EXPECT_EQ(field_of(reply.body, "ExistingJobStatus"), "PRECOMMITTED") << "nobody is sending it any more";
    std::smatch match;
    const std::string message = field_of(reply.body, "Message");
    EXPECT_TRUE(std::regex_search(message, match, kLabelUsed)) << message;
    return "held by " + match[2].str();
  }
  std::string message(const std::string& txn, const std::string& kind) {
    const Reply reply = doors.ask(operation(txn, kind));
    EXPECT_EQ(reply.status, 200);
    return field_of(reply.body, "status") + ": " + field_of(reply.body, "msg");
  }

  DoorsWorld doors;
};

TEST_P(LostReply, of_a_load_the_probe_finds_it_precommitted_or_its_label_free) {
  send_and_go(load_request("l", "1\t1\n2\t2\n"));
  std::string txn = load("l", "");
  if (txn.starts_with("held by ")) txn = txn.substr(8);
  EXPECT_TRUE(message(txn, "abort").starts_with("Success: "));
  const std::string again = load("l", "1\t1\n2\t2\n");
  EXPECT_TRUE(message(again, "commit").starts_with("Success: "));
  EXPECT_EQ(doors.scan("t", "?order_by=k"), "1\t1\n2\t2\n");
}

TEST_P(LostReply, of_a_commit_the_next_one_says_success_or_already_visible_and_rows_are_there_once) {
  const std::string txn = load("l", "1\t1\n");
  send_and_go(operation(txn, "commit"));
  const std::string said = message(txn, "commit");
  EXPECT_TRUE(said.starts_with("Success: ") || std::regex_search(said, kCommitted)) << said;
  EXPECT_EQ(doors.scan("t"), "1\t1\n");
}

TEST_P(LostReply, of_an_abort_the_next_one_says_success_or_already_aborted) {
  const std::string txn = load("l", "1\t1\n");
  send_and_go(operation(txn, "abort"));
  const std::string said = message(txn, "abort");
  EXPECT_TRUE(said.starts_with("Success: ") || std::regex_search(said, kAborted)) << said;
  EXPECT_EQ(doors.scan("t"), "");
  EXPECT_FALSE(load("l", "2\t2\n").starts_with("held"));
}

TEST_P(LostReply, four_commits_at_once_are_one_success_and_three_times_already_visible) {
  const std::string txn = load("l", "1\t1\n");
  std::vector<sim::SimClient> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(doors.world.connect(kAddress));
    clients.back().send(operation(txn, "commit"));
  }
  int done = 0;
  for (sim::SimClient& client : clients) {
    EXPECT_TRUE(doors.run_until([&] { return reply_count(client) == 1; }));
    const std::string reply = client.take_received();
    const bool is_done = reply.find("\"Success\"") != std::string::npos;
    done += is_done ? 1 : 0;
    if (!is_done) EXPECT_TRUE(std::regex_search(reply, kCommitted)) << reply;
  }
  EXPECT_EQ(done, 1);
  EXPECT_EQ(doors.scan("t"), "1\t1\n");
}

// Batch mode: HttpClient sends the whole request again under the same label, 10 ms after a reset.
TEST_P(LostReply, of_a_plain_load_the_same_label_says_finished_or_loads) {
  const std::string rows = "1\t1\n";
  const std::string request = "PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\n" +
                              std::string(DoorsWorld::kAuth) + "Content-Length: 4\r\nlabel: l\r\n\r\n";
  send_and_go(request + (GetParam() % 3 == 0 ? rows : rows.substr(0, 2)));
  const Reply again = doors.ask(request + rows);
  const std::string status = field_of(again.body, "Status");
  EXPECT_TRUE(status == "Success" || field_of(again.body, "ExistingJobStatus") == "FINISHED") << again.body;
  EXPECT_EQ(doors.scan("t"), rows);
}

INSTANTIATE_TEST_SUITE_P(AtAnyMoment, LostReply, ::testing::Range(0, 24));

}  // namespace
}  // namespace penstock::net
