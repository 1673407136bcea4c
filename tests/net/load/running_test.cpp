// RUNNING is taken for done by real clients, and they ask as soon as their own connection has broken: it is said only of a
// load whose client can still send, also where that load waits for the disk or for memory and does not look.
#include <fmt/format.h>

#include "tests/net/doors/doors_world.hpp"

namespace penstock::net {
namespace {

constexpr int kRows = 30000;

std::string rows_from(int first, int count) {
  std::string rows;
  for (int i = 0; i < count; ++i) rows += fmt::format("{}\t{}\n", first + i, i);
  return rows;
}

// A load waits for the disk for most of its time: with the smallest budget every piece is written out.
DoorsOptions slow_disk(std::uint64_t seed) {
  DoorsOptions options;
  options.seed = seed;
  options.disk_time_max = std::chrono::milliseconds(900);
  options.limits.load_memory_max = core::kKiB;
  options.limits.block.input_bytes_max = 4 * core::kKiB;
  options.limits.write_buffers = 2;
  options.limits.write_buffer_bytes = 16 * core::kKiB;
  return options;
}

class Running {
 public:
  explicit Running(DoorsOptions options) : doors(options) {
    doors.must("CREATE DATABASE db");
    doors.must("CREATE TABLE t (k INT, v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2");
  }
  sim::SimClient begin(const std::string& label, const std::string& more = "") {
    sim::SimClient client = doors.world.connect(kAddress);
    client.send("PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\n" + std::string(DoorsWorld::kAuth) +
                "Expect: 100-continue\r\ntwo_phase_commit: true\r\nlabel: " + label + "\r\n" + more +
                "Transfer-Encoding: chunked\r\n\r\n");
    EXPECT_TRUE(doors.run_until([&] { return reply_count(client) == 1; }));
    (void)client.take_received();
    return client;
  }
  static std::string chunk(const std::string& rows) {
    const std::string whole = chunked(rows, 4096);
    return whole.substr(0, whole.size() - 5);
  }
  // Of an empty load under that label.
  std::string probe(const std::string& label) {
    const core::Instant before = doors.world.now().monotonic;
    const Reply reply = doors.load("t", "", "two_phase_commit: true\r\nlabel: " + label + "\r\n");
    took = doors.world.now().monotonic - before;
    const std::string status = field_of(reply.body, "Status");
    return status == "Label Already Exists" ? field_of(reply.body, "ExistingJobStatus") : status;
  }
  Reply reply_of(sim::SimClient& client) {
    EXPECT_TRUE(doors.run_until([&] { return reply_count(client) == 1 || client.is_ended(); }));
    std::string text = client.take_received();
    Reply reply;
    (void)take_reply(text, reply);
    return reply;
  }
  std::string rows() {
    std::string count = doors.scan("t", "?columns=count(*)");
    count.pop_back();
    return count;
  }
  void commit(const std::string& label) {
    const Reply reply =
        doors.ask("PUT /api/db/_stream_load_2pc HTTP/1.1\r\nHost: a\r\n" + std::string(DoorsWorld::kAuth) +
                  "label: " + label + "\r\ntxn_operation: commit\r\n\r\n");
    EXPECT_EQ(field_of(reply.body, "status"), "Success") << reply.body;
  }

  DoorsWorld doors;
  core::Duration took{};
};

TEST(RunningTest, a_client_that_died_behind_megabytes_nobody_has_read_is_not_running) {
  int behind_unread = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    Running r(slow_disk(seed));
    sim::SimClient client = r.begin("l");
    client.send(r.chunk(rows_from(0, kRows)));
    (void)r.doors.world.run_for(std::chrono::milliseconds(50));
    behind_unread += client.unread_by_server() > 0 ? 1 : 0;
    seed % 2 == 0 ? client.shutdown_write() : client.reset();
    EXPECT_EQ(r.probe("l"), "Success");
    EXPECT_EQ(r.rows(), "0");
  }
  EXPECT_GT(behind_unread, 8);
}

TEST(RunningTest, a_client_that_lives_is_running_and_loses_nothing_by_being_read_on) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    Running r(slow_disk(seed));
    sim::SimClient client = r.begin("l");
    client.send(r.chunk(rows_from(0, kRows)));
    (void)r.doors.world.run_for(std::chrono::milliseconds(static_cast<int>(seed) * 7));
    EXPECT_EQ(r.probe("l"), "RUNNING");
    EXPECT_EQ(client.unread_by_server(), 0u) << "it was not read on";
    EXPECT_EQ(r.probe("l"), "RUNNING");
    client.send(r.chunk(rows_from(kRows, 100)) + "0\r\n\r\n");
    const Reply reply = r.reply_of(client);
    EXPECT_EQ(field_of(reply.body, "Status"), "Success") << reply.body;
    EXPECT_EQ(field_of(reply.body, "NumberLoadedRows"), std::to_string(kRows + 100));
    r.commit("l");
    EXPECT_EQ(r.rows(), std::to_string(kRows + 100));
  }
}

TEST(RunningTest, a_whole_body_behind_which_the_connection_ends_is_not_aborted) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    Running r(slow_disk(seed));
    sim::SimClient client = r.begin("l");
    client.send(r.chunk(rows_from(0, 600)) + "0\r\n\r\n");
    if (seed % 3 != 0) client.shutdown_write();
    (void)r.doors.world.run_for(std::chrono::milliseconds(static_cast<int>(seed % 4) * 9));
    EXPECT_EQ(r.probe("l"), "PRECOMMITTED");
    r.commit("l");
    EXPECT_EQ(r.rows(), "600");
  }
}

TEST(RunningTest, a_body_of_a_known_length_is_read_on_as_well) {
  for (const bool is_whole : {false, true}) {
    Running r(slow_disk(3));
    const std::string rows = rows_from(0, 600);
    sim::SimClient client = r.doors.world.connect(kAddress);
    client.send("PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\n" + std::string(DoorsWorld::kAuth) +
                "two_phase_commit: true\r\nlabel: l\r\nContent-Length: " +
                std::to_string(rows.size() + (is_whole ? 0 : 1)) + "\r\n\r\n" + rows);
    client.shutdown_write();
    (void)r.doors.world.run_for(std::chrono::milliseconds(20));
    EXPECT_EQ(r.probe("l"), is_whole ? "PRECOMMITTED" : "Success");
  }
}

// Every receive buffer of the shard is with a load that waits for the disk; the one that is asked for waits for a buffer.
TEST(RunningTest, a_client_that_died_while_its_load_waits_for_a_receive_buffer_is_not_running) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    DoorsOptions options = slow_disk(seed);
    options.shards = 1;
    options.limits.load_memory_max = 8 * core::kKiB;
    Running r(options);
    std::vector<sim::SimClient> others;
    for (int i = 0; i < 20; ++i) {
      others.push_back(r.begin("other" + std::to_string(i)));
      others.back().send(r.chunk(rows_from(i * 100'000, kRows)));
    }
    sim::SimClient client = r.begin("l");
    client.send(r.chunk(rows_from(9'000'000, kRows)));
    (void)r.doors.world.run_for(std::chrono::milliseconds(30));
    EXPECT_EQ(r.probe("other3"), "RUNNING");
    client.shutdown_write();
    EXPECT_EQ(r.probe("l"), "Success");
    EXPECT_EQ(r.probe("other4"), "RUNNING");
    for (sim::SimClient& other : others) {
      other.send("0\r\n\r\n");
      EXPECT_EQ(field_of(r.reply_of(other).body, "NumberLoadedRows"), std::to_string(kRows));
    }
  }
}

TEST(RunningTest, an_answer_takes_a_tenth_of_a_second_at_most_where_the_client_lives) {
  DoorsOptions options;  // nothing but the client is slow
  Running r(options);
  sim::SimClient client = r.begin("l");
  client.send(r.chunk(rows_from(0, 10)));
  EXPECT_EQ(r.probe("l"), "RUNNING");
  EXPECT_LT(r.took, std::chrono::milliseconds(130));
  EXPECT_GT(r.took, std::chrono::milliseconds(90));
}

// Turns to read on are few, and a client that lives and is silent keeps one for as long as a look may take.
TEST(RunningTest, a_client_that_died_is_not_running_also_where_others_are_being_looked_at) {
  for (const int silent : {4, 5, 11}) {
    for (const bool is_one : {false, true}) {  // asked for so often, or so many of them
      SCOPED_TRACE(fmt::format("{} {}", silent, is_one));
      DoorsOptions options = slow_disk(static_cast<std::uint64_t>(silent));
      options.shards = 1;
      Running r(options);
      std::vector<sim::SimClient> others;
      for (int i = 0; i < (is_one ? 1 : silent); ++i) {
        others.push_back(r.begin("other" + std::to_string(i)));
        others.back().send(r.chunk(rows_from(i * 100, 10)));
      }
      sim::SimClient client = r.begin("l");
      client.send(r.chunk(rows_from(0, kRows)));
      (void)r.doors.world.run_for(std::chrono::milliseconds(50));
      std::vector<sim::SimClient> probes;
      for (int i = 0; i < silent; ++i) {
        probes.push_back(r.doors.world.connect(kAddress));
        probes.back().send("PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\n" +
                           std::string(DoorsWorld::kAuth) + "two_phase_commit: true\r\nlabel: other" +
                           std::to_string(is_one ? 0 : i) + "\r\nContent-Length: 0\r\n\r\n");
      }
      (void)r.doors.world.run_for(std::chrono::milliseconds(20));
      ASSERT_GT(client.unread_by_server(), 0u);
      client.shutdown_write();
      EXPECT_EQ(r.probe("l"), "Success");
      for (sim::SimClient& probe : probes)
        EXPECT_EQ(field_of(r.reply_of(probe).body, "ExistingJobStatus"), "RUNNING");
    }
  }
}

TEST(RunningTest, a_load_that_nobody_can_look_at_is_not_said_to_be_running) {
  constexpr int kMany = kRows * 3;
  DoorsOptions options = slow_disk(5);
  options.disk_time_max = std::chrono::seconds(20);
  options.http.read_on_bytes_max = 8 * core::kKiB;  // of the body, however often it is asked for
  Running r(options);
  sim::SimClient client = r.begin("l");
  client.send(r.chunk(rows_from(0, kMany)));
  (void)r.doors.world.run_for(std::chrono::milliseconds(50));
  for (int i = 0; i < 2; ++i) {
    const Reply refused = r.doors.load("t", "", "two_phase_commit: true\r\nlabel: l\r\n");
    EXPECT_EQ(field_of(refused.body, "Status"), "Fail") << refused.body;
    EXPECT_NE(refused.body.find("could not be looked at"), std::string::npos) << refused.body;
  }
  EXPECT_GT(client.unread_by_server(), 0u);
  client.send("0\r\n\r\n");
  EXPECT_EQ(field_of(r.reply_of(client).body, "NumberLoadedRows"), std::to_string(kMany));
}

TEST(RunningTest, a_client_that_has_sent_more_than_a_socket_holds_since_the_question_is_running) {
  DoorsOptions options = slow_disk(5);
  options.disk_time_max = std::chrono::seconds(20);
  options.http.read_on_bytes_max = options.http.read_on_alive_bytes = 8 * core::kKiB;
  Running r(options);
  sim::SimClient client = r.begin("l");
  client.send(r.chunk(rows_from(0, kRows * 3)));
  (void)r.doors.world.run_for(std::chrono::milliseconds(50));
  EXPECT_EQ(r.probe("l"), "RUNNING");
  EXPECT_GT(client.unread_by_server(), 0u);
}

// The journal's sync takes seconds: the body has ended, and shard 0 knows nothing of it.
TEST(RunningTest, a_load_whose_body_has_ended_is_waited_for_by_every_question) {
  for (const char* question : {"begin", "state", "commit by id", "commit by label"}) {
    SCOPED_TRACE(question);
    DoorsOptions options;
    options.sync_time_max = std::chrono::seconds(5);
    Running r(options);
    sim::SimClient client = r.begin("l");
    const Reply list = r.doors.get("/api/_transactions");
    const std::size_t at = list.body.find("\"txn\":");
    ASSERT_NE(at, std::string::npos) << list.body;
    const std::string txn = list.body.substr(at + 6, list.body.find(',', at) - at - 6);
    client.send(r.chunk(rows_from(0, 10)) + "0\r\n\r\n");
    (void)r.doors.world.run_for(std::chrono::milliseconds(20));
    EXPECT_EQ(reply_count(client), 0);
    const std::string asked = question;
    if (asked == "begin") EXPECT_EQ(r.probe("l"), "PRECOMMITTED");
    if (asked == "state") {
      EXPECT_NE(r.doors.get("/api/db/get_load_state?label=l").body.find("PRECOMMITTED"), std::string::npos);
    }
    if (asked.starts_with("commit")) {
      const std::string which = asked == "commit by id" ? "txn_id: " + txn : "label: l";
      const Reply reply =
          r.doors.ask("PUT /api/db/_stream_load_2pc HTTP/1.1\r\nHost: a\r\n" +
                      std::string(DoorsWorld::kAuth) + which + "\r\ntxn_operation: commit\r\n\r\n");
      EXPECT_EQ(field_of(reply.body, "status"), "Success") << reply.body;
    }
  }
}

// Asked again and again at any moment, from several sides: what comes out is what was sent.
TEST(RunningTest, rows_are_the_same_however_often_a_load_is_read_on) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE(seed);
    DoorsOptions options = slow_disk(seed);
    options.disk_time_max = std::chrono::milliseconds(1 + static_cast<int>(seed % 5) * 8);
    options.split_percent = 60;
    Running r(options);
    sim::SimRandom dice(seed, 5);
    sim::SimClient client = r.begin("l");
    std::string body = chunked(rows_from(0, 2000), 777);
    std::vector<sim::SimClient> probes;
    for (std::size_t at = 0; at < body.size();) {
      const std::size_t size = std::min<std::size_t>(body.size() - at, dice.between(1, 4000));
      client.send(body.substr(at, size));
      at += size;
      if (dice.percent(40) && at < body.size()) {
        probes.push_back(r.doors.world.connect(kAddress));
        probes.back().send("PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\n" +
                           std::string(DoorsWorld::kAuth) +
                           "two_phase_commit: true\r\nlabel: l\r\nContent-Length: 0\r\n\r\n");
      }
      (void)r.doors.world.run_for(std::chrono::microseconds(static_cast<int>(dice.between(1, 60'000))));
    }
    const Reply reply = r.reply_of(client);
    EXPECT_EQ(field_of(reply.body, "NumberLoadedRows"), "2000") << reply.body;
    for (sim::SimClient& probe : probes) {
      const std::string status = field_of(r.reply_of(probe).body, "ExistingJobStatus");
      EXPECT_TRUE(status == "RUNNING" || status == "PRECOMMITTED") << status;
    }
    r.commit("l");
    EXPECT_EQ(r.rows(), "2000");
  }
}

}  // namespace
}  // namespace penstock::net
