// `timeout` bounds a load while it is open, whatever its body does; what is precommitted waits for its client alone.
#include <fmt/format.h>

#include "tests/net/doors/doors_world.hpp"

namespace penstock::net {
namespace {

using std::chrono::seconds;

class Timeout : public ::testing::Test {
 protected:
  Timeout() {
    doors.must("CREATE DATABASE db");
    doors.must("CREATE TABLE t (k INT, v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2");
  }
  sim::SimClient begin(const std::string& label, int timeout, bool two_phase) {
    sim::SimClient client = doors.world.connect(kAddress);
    client.send(
        fmt::format("PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\n{}label: {}\r\ntimeout: {}\r\n"
                    "two_phase_commit: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
                    DoorsWorld::kAuth, label, timeout, two_phase));
    pass(std::chrono::milliseconds(50));
    return client;
  }
  void pass(core::Duration time) { ASSERT_EQ(doors.world.run_for(time, 20'000'000), sim::RunStatus::Done); }
  static std::string message_of(sim::SimClient& client) {
    std::string text = client.take_received();
    Reply reply;
    if (!take_reply(text, reply)) return "none yet";
    return field_of(reply.body, "Status") + ": " + field_of(reply.body, "Message");
  }
  std::string state(const std::string& label) {
    const std::string body = doors.get("/api/db/get_load_state?label=" + label).body;
    const std::size_t at = body.find("\"data\":\"") + 8;
    return body.substr(at, body.find('"', at) - at);
  }

  DoorsWorld doors;
};

TEST_F(Timeout, a_silent_body_ends_its_load_and_frees_its_label) {
  for (const bool two_phase : {false, true}) {
    sim::SimClient client = begin("l", 20, two_phase);
    client.send("4\r\n1\t1\n\r\n");
    pass(seconds(18));
    EXPECT_EQ(message_of(client), "none yet");
    EXPECT_EQ(state("l"), "PREPARE");
    pass(seconds(4));
    EXPECT_TRUE(message_of(client).starts_with("Fail: [TIMEOUT]the body did not end in time (timeout: 20 s"));
    EXPECT_EQ(state("l"), "ABORTED");
    const Reply again = doors.load("t", "", fmt::format("label: l\r\ntwo_phase_commit: {}\r\n", two_phase));
    EXPECT_EQ(field_of(again.body, "Status"), "Success") << again.body;
    if (two_phase) {
      doors.ask("PUT /api/db/_stream_load_2pc HTTP/1.1\r\nHost: a\r\n" + std::string(DoorsWorld::kAuth) +
                "label: l\r\ntxn_operation: abort\r\n\r\n");
    } else {
      EXPECT_EQ(state("l"), "VISIBLE");
      doors.must("DROP DATABASE db");
      doors.must("CREATE DATABASE db");
      doors.must("CREATE TABLE t (k INT, v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2");
    }
  }
}

// Something comes every second, for ever: that is no reason to wait longer.
TEST_F(Timeout, a_body_that_goes_on_slowly_is_bounded_too) {
  for (const bool two_phase : {false, true}) {
    const std::string label = two_phase ? "two" : "one";
    sim::SimClient client = begin(label, 30, two_phase);
    for (int second = 0; second < 27; ++second) {
      client.send("4\r\n1\t1\n\r\n");
      pass(seconds(1));
    }
    EXPECT_EQ(state(label), "PREPARE");
    for (int second = 0; second < 6 && !client.is_ended(); ++second) {
      client.send("4\r\n1\t1\n\r\n");
      pass(seconds(1));
    }
    EXPECT_TRUE(message_of(client).starts_with("Fail: [TIMEOUT]"));
    EXPECT_EQ(state(label), "ABORTED");
  }
  EXPECT_EQ(doors.scan("t"), "");
}

TEST_F(Timeout, a_load_without_the_header_may_be_silent_for_days) {
  sim::SimClient client = doors.world.connect(kAddress);
  client.send("PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\n" + std::string(DoorsWorld::kAuth) +
              "label: l\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1\t1\n\r\n");
  pass(seconds(2 * 24 * 3600));
  EXPECT_EQ(state("l"), "PREPARE");
  client.send("4\r\n2\t2\n\r\n0\r\n\r\n");
  pass(seconds(1));
  EXPECT_EQ(message_of(client), "Success: OK");
}

TEST_F(Timeout, a_precommitted_load_is_not_subject_to_it) {
  sim::SimClient client = begin("l", 10, true);
  client.send("4\r\n1\t1\n\r\n0\r\n\r\n");
  pass(seconds(1));
  EXPECT_EQ(message_of(client), "Success: OK");
  pass(seconds(5 * 24 * 3600));
  EXPECT_EQ(state("l"), "PRECOMMITTED");
  const Reply committed =
      doors.ask("PUT /api/db/_stream_load_2pc HTTP/1.1\r\nHost: a\r\n" + std::string(DoorsWorld::kAuth) +
                "label: l\r\ntxn_operation: commit\r\n\r\n");
  EXPECT_EQ(field_of(committed.body, "status"), "Success") << committed.body;
  EXPECT_EQ(doors.scan("t"), "1\t1\n");
}

}  // namespace
}  // namespace penstock::net
