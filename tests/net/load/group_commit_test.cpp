// Group commit over the wire: what is taken as one, what its reply looks like, and that small loads share what they cost.
#include <algorithm>
#include <set>

#include "tests/net/doors/doors_world.hpp"

namespace penstock::net {
namespace {

// The names of a reply's fields, in order.
std::string fields_of(const std::string& json) {
  std::string names;
  constexpr std::string_view kBefore = "\n    \"";
  for (std::size_t at = json.find(kBefore); at != std::string::npos; at = json.find(kBefore, at + 1)) {
    const std::size_t from = at + kBefore.size();
    names += json.substr(from, json.find('"', from) - from) + " ";
  }
  return names;
}

struct Costs {
  std::uint64_t records = 0;
  std::uint64_t votes = 0;
  std::uint64_t loads = 0;
  std::uint64_t blocks = 0;
};

core::Task<void> add_costs(txn::Store* store, Costs* costs, int* left) {
  txn::StoreShard& here = store->here();
  if (here.shard().id() == core::ShardId(0)) costs->records = store->coordinator().stats().records;
  for (const txn::Lane lane : txn::kAllLanes) {
    costs->votes += here.precommitter(lane).stats().batches;
    costs->loads += here.precommitter(lane).stats().loads;
  }
  const auto table = here.tablets().catalog()->find_table("db", "t");
  costs->blocks += here.tablets().blocks_at(table->id, here.tablets().applied()).size();
  --*left;
  co_return;
}

class GroupCommit : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kShards = 2;

  explicit GroupCommit(DoorsOptions options = {.shards = kShards}) : doors(options), shards_(options.shards) {
    doors.must("CREATE DATABASE db");
    doors.must("CREATE TABLE t (k INT, v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2");
  }
  static std::string chunked_load(const std::string& headers, const std::string& body) {
    return "PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: a\r\n" + std::string(DoorsWorld::kAuth) +
           "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n" + headers + "\r\n" + chunked(body, 100);
  }
  Costs costs() {
    Costs all;
    int left = static_cast<int>(shards_);
    for (std::uint32_t i = 0; i < shards_; ++i)
      doors.world.start(i, add_costs(doors.store.get(), &all, &left));
    EXPECT_TRUE(doors.run_until([&] { return left == 0; }));
    return all;
  }
  // Was taken as a group commit / as a plain load.
  static bool is_grouped(const Reply& reply) {
    EXPECT_EQ(field_of(reply.body, "Status"), "Success") << reply.body;
    const bool is_grouped = field_of(reply.body, "GroupCommit") == "true";
    EXPECT_EQ(field_of(reply.body, "TwoPhaseCommit").empty(), is_grouped) << reply.body;
    return is_grouped;
  }

  DoorsWorld doors;

 private:
  std::uint32_t shards_;
};

class GroupCommitOnOneShard : public GroupCommit {
 protected:
  GroupCommitOnOneShard() : GroupCommit({.shards = 1, .split_percent = 0}) {}
};

TEST_F(GroupCommit, both_modes_answer_with_their_own_fields_when_the_rows_are_visible) {
  std::string seen;
  for (const char* mode : {"sync_mode", "async_mode", "ASYNC_MODE"}) {
    const Reply reply =
        doors.load("t", "1\t2\n", "group_commit: " + std::string(mode) + "\r\ncomment: c\r\n");
    EXPECT_EQ(fields_of(reply.body),
              "TxnId Label Comment GroupCommit Status Message NumberTotalRows NumberLoadedRows "
              "NumberFilteredRows NumberUnselectedRows LoadBytes LoadTimeMs StreamLoadPutTimeMs "
              "ReadDataTimeMs WriteDataTimeMs ReceiveDataTimeMs ");
    EXPECT_NE(reply.body.find("\"GroupCommit\": true,"), std::string::npos) << reply.body;
    EXPECT_TRUE(is_grouped(reply));
    EXPECT_GT(std::stoll(field_of(reply.body, "TxnId")), 0);
    EXPECT_EQ(field_of(reply.body, "Comment"), "c");
    EXPECT_EQ(field_of(reply.body, "NumberLoadedRows"), "1");
    EXPECT_TRUE(field_of(reply.body, "Label").starts_with("group_commit_")) << reply.body;
    EXPECT_TRUE(txn::is_valid_label(field_of(reply.body, "Label")));
    seen += "1\t2\n";
    EXPECT_EQ(doors.scan("t"), seen);
  }
}

TEST_F(GroupCommit, its_label_is_not_kept_and_every_load_has_another) {
  std::set<std::string> labels;
  for (int i = 0; i < 5; ++i) {
    const Reply reply = doors.load("t", "1\t2\n", "group_commit: sync_mode\r\nlabel:\r\n");
    const std::string label = field_of(reply.body, "Label");
    EXPECT_TRUE(labels.insert(label).second) << label;
    EXPECT_NE(doors.get("/api/db/get_load_state?label=" + label).body.find("UNKNOWN"), std::string::npos);
  }
}

TEST_F(GroupCommit, a_label_with_it_is_refused_in_doriss_words) {
  const Reply reply = doors.load("t", "1\t2\n", "group_commit: async_mode\r\nlabel: mine\r\n");
  EXPECT_EQ(field_of(reply.body, "Status"), "Fail");
  EXPECT_EQ(field_of(reply.body, "Message"),
            "[INVALID_ARGUMENT]label and group_commit can't be set at the same time");
  EXPECT_EQ(field_of(reply.body, "TwoPhaseCommit"), "false");
  EXPECT_EQ(reply.head.find("100 Continue"), std::string::npos);
  EXPECT_FALSE(is_grouped(doors.load("t", "1\t2\n", "group_commit: off_mode\r\nlabel: mine\r\n")));
  EXPECT_EQ(doors.scan("t"), "1\t2\n");
}

// Doris loads these rows and forgets the label; a label that is sent counts here.
TEST_F(GroupCommit, a_chunked_load_with_a_label_is_a_plain_load_under_its_label) {
  const std::string load = chunked_load("group_commit: async_mode\r\nlabel: mine\r\n", "1\t2\n");
  const Reply first = doors.ask(load);
  EXPECT_FALSE(is_grouped(first));
  EXPECT_EQ(field_of(first.body, "Label"), "mine");
  EXPECT_EQ(field_of(doors.ask(load).body, "ExistingJobStatus"), "FINISHED");
  EXPECT_TRUE(is_grouped(doors.ask(chunked_load("group_commit: async_mode\r\nlabel:\r\n", "3\t4\n"))));
  EXPECT_EQ(doors.scan("t", "?order_by=k"), "1\t2\n3\t4\n");
}

TEST_F(GroupCommit, what_makes_a_load_one_of_its_own_makes_it_a_plain_one) {
  const std::string group = "group_commit: sync_mode\r\n";
  EXPECT_FALSE(is_grouped(doors.load("t", "1\t2\n", group + "partitions: t\r\n")));
  EXPECT_FALSE(is_grouped(doors.load("t", "1\t2\n", group + "partitions: t\r\nlabel: by_partition\r\n")));
  EXPECT_FALSE(is_grouped(doors.load("t", "", group)));
  EXPECT_FALSE(is_grouped(doors.load("t", "1\t2\n", "group_commit:\r\n")));
  EXPECT_TRUE(is_grouped(doors.ask(chunked_load(group, ""))));
  EXPECT_TRUE(is_grouped(doors.load("t", "1\t2\n", group + "unique_key_update_mode: UPSERT\r\n")));

  const Reply partial = doors.load("t", "1\t2\n", group + "partial_columns: true\r\n");
  EXPECT_NE(field_of(partial.body, "Message").find("partial update"), std::string::npos) << partial.body;
  EXPECT_EQ(field_of(partial.body, "TwoPhaseCommit"), "false");

  const Reply prepared = doors.load("t", "9\t9\n", group + "two_phase_commit: true\r\nlabel: two\r\n");
  EXPECT_EQ(field_of(prepared.body, "Status"), "Success");
  EXPECT_EQ(field_of(prepared.body, "TwoPhaseCommit"), "true");
  EXPECT_EQ(field_of(prepared.body, "Label"), "two");
  EXPECT_EQ(doors.scan("t", "?where=k=9"), "");
}

TEST_F(GroupCommit, what_is_refused_is_answered_as_a_group_commit_too) {
  const std::string group = "group_commit: sync_mode\r\n";
  for (const Reply& reply :
       {doors.load("none", "1\t2\n", group), doors.load("t", "1\t2\n", group + "strict_mode: perhaps\r\n"),
        doors.load("t", "1\t2\n", group + "columns: nothing=\r\n"), doors.load("t", "x\n", group)}) {
    EXPECT_EQ(field_of(reply.body, "Status"), "Fail");
    EXPECT_EQ(field_of(reply.body, "GroupCommit"), "true") << reply.body;
  }
  const Reply unknown = doors.load("t", "1\t2\n", "group_commit: always\r\n");
  EXPECT_EQ(field_of(unknown.body, "Message"),
            "[INVALID_ARGUMENT]group_commit can only be [async_mode, sync_mode, off_mode]");
}

// Doris keeps to the ratio up to 10,000 rows and drops bad rows in silence beyond.
TEST_F(GroupCommit, max_filter_ratio_holds_at_any_size) {
  std::string body;
  constexpr int kRows = 12'000;
  for (int i = 0; i < kRows; ++i) body += std::to_string(i) + "\t1\n";
  body += "one\ttoo\tmany\n";
  const std::string group = "group_commit: async_mode\r\n";
  const Reply failed = doors.load("t", body, group);
  EXPECT_EQ(field_of(failed.body, "Message"), "[DATA_QUALITY_ERROR]too many filtered rows");
  EXPECT_EQ(field_of(failed.body, "NumberLoadedRows"), "0");
  EXPECT_EQ(doors.scan("t", "?columns=count(*)"), "0\n");
  const Reply kept = doors.load("t", body, group + "max_filter_ratio: 0.1\r\n");
  EXPECT_TRUE(is_grouped(kept));
  EXPECT_EQ(field_of(kept.body, "NumberLoadedRows"), std::to_string(kRows));
  EXPECT_EQ(field_of(kept.body, "NumberFilteredRows"), "1");
  EXPECT_NE(field_of(kept.body, "ErrorURL"), "");
}

// One bad load among those that share does not touch the others.
TEST_F(GroupCommitOnOneShard, loads_that_end_together_share_a_block_and_a_record) {
  constexpr std::size_t kLoads = 60;
  std::vector<sim::SimClient> clients;
  for (std::size_t i = 0; i < kLoads; ++i) {
    clients.push_back(doors.world.connect(kAddress));
    std::string request =
        chunked_load(std::string("group_commit: ") + (i % 2 == 0 ? "sync_mode\r\n" : "async_mode\r\n"),
                     i == 7 ? "bad row\n" : std::to_string(i) + "\t1\n" + std::to_string(i) + "\t2\n");
    clients.back().send(request.substr(0, request.size() - 5));  // all but the body's end
  }
  (void)doors.world.run_for(std::chrono::milliseconds(200));
  const Costs before = costs();
  for (sim::SimClient& client : clients) client.send("0\r\n\r\n");
  ASSERT_TRUE(doors.run_until([&] {
    return std::ranges::all_of(clients, [](const auto& client) { return reply_count(client) == 2; });
  }));
  std::set<std::string> txns;
  for (std::size_t i = 0; i < kLoads; ++i) {
    const Reply reply = replies_of(clients[i]).back();
    EXPECT_EQ(field_of(reply.body, "Status"), i == 7 ? "Fail" : "Success") << reply.body;
    EXPECT_EQ(field_of(reply.body, "GroupCommit"), "true");
    txns.insert(field_of(reply.body, "TxnId"));
  }
  EXPECT_EQ(txns.size(), kLoads);
  const Costs after = costs();
  EXPECT_EQ(after.loads - before.loads, kLoads - 1);
  // The first to end finds nothing under way and goes at once; the rest gathers behind it.
  EXPECT_LE(after.votes - before.votes, 2U);
  EXPECT_LE(after.blocks - before.blocks, 2U);
  EXPECT_LE(after.records - before.records, 2U);
  EXPECT_EQ(doors.scan("t", "?columns=count(*)"), std::to_string(2 * (kLoads - 1)) + "\n");
}

}  // namespace
}  // namespace penstock::net
