// ALTER TABLE beside open loads, with the process ended at every operation: what was acknowledged is there after every
// recovery, a load is there whole or not at all, and its rows have the values that they were sent with.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "tests/crash/altered_loads.hpp"

namespace penstock::crash {
namespace {

struct Story {
  std::string violation;
  bool added = false;  // acknowledged, each
  bool renamed = false;
  bool widened = false;
  bool dropped = false;
  bool plain_json = false;
  bool plain_csv = false;
  std::optional<txn::TxnId> prepared;  // precommitted
  bool committed = false;

  void must(const std::string& error) {
    if (violation.empty()) violation = error;
  }
};

core::Task<void> tell(txn::Store* store, Story* story) {
  story->must(co_await statement(store, "CREATE DATABASE IF NOT EXISTS db"));
  story->must(co_await statement(store,
                                 "CREATE TABLE t (k BIGINT NOT NULL, v INT, s VARCHAR(10)) DUPLICATE KEY(k) "
                                 "DISTRIBUTED BY HASH(k) BUCKETS 4"));
  FollowingLoad json;
  FollowingLoad csv;
  FollowingLoad two_phase;
  story->must(co_await begin_following(store, "json", false, BodyFormat::Json, &json));
  story->must(co_await begin_following(store, "csv", false, BodyFormat::Csv, &csv));
  story->must(co_await begin_following(store, "two", true, BodyFormat::Json, &two_phase));
  story->must(co_await send_more(&json, "{\"k\":1,\"v\":1,\"x\":9}\n{\"k\":2,\"v\":2,\"x\":"));
  story->must(co_await send_more(&csv, "11\t1\ta\n12\t2\tb\n"));
  story->must(co_await send_more(&two_phase, "{\"k\":21,\"v\":1}\n"));
  story->must(
      co_await statement(store, "ALTER TABLE t ADD COLUMN x INT DEFAULT '7', ADD COLUMN y DATE AFTER k"));
  story->added = true;
  story->must(co_await send_more(&json, "22}\n{\"k\":3,\"x\":33,\"y\":\"2024-05-06\"}\n"));
  story->must(co_await send_more(&csv, "13\t3\tc\n"));
  story->must(co_await send_more(&two_phase, "{\"k\":22,\"x\":220}\n"));
  story->must(co_await statement(store, "ALTER TABLE t RENAME COLUMN x z"));
  story->renamed = true;
  story->must(co_await send_more(&json, "{\"k\":4,\"z\":44,\"x\":1}\n"));
  story->must(co_await end_following(&json));
  story->plain_json = true;
  const auto prepared_txn = two_phase.began.txn;
  story->must(co_await end_following(&two_phase));
  story->prepared = prepared_txn;
  story->must(co_await statement(store, "ALTER TABLE t MODIFY COLUMN z BIGINT, MODIFY COLUMN y DATETIME"));
  story->widened = true;
  story->must(co_await statement(store, "ALTER TABLE t DROP COLUMN v"));
  story->dropped = true;
  story->must(co_await end_following(&csv));
  story->plain_csv = true;
  const auto answer = co_await store->operate(
      {.kind = txn::TxnOperation::Kind::Commit, .database = "db", .txn = *story->prepared, .label = {}});
  if (!answer.done) story->must("commit: " + answer.text);
  story->committed = true;
}

core::Task<void> read(txn::Store* store, std::vector<std::string>* names,
                      std::optional<std::vector<std::string>>* rows) {
  names->clear();
  if (const auto table = store->catalog()->find_table("db", "t")) {
    for (const txn::ColumnDef& column : table->schema->columns)
      names->push_back(column.name + " " + txn::type_name(column.type));
  }
  *rows = co_await read_rows(store);
}

// The rows of a load as they must be, column by name; cells of columns that are not there yet fall away.
using Cells = std::vector<std::pair<std::string, std::string>>;
const std::vector<Cells> kJson = {
    {{"k", "1"}, {"v", "1"}, {"s", "\\N"}, {"x", "7"}, {"y", "\\N"}},
    {{"k", "2"}, {"v", "2"}, {"s", "\\N"}, {"x", "22"}, {"y", "\\N"}},
    {{"k", "3"}, {"v", "\\N"}, {"s", "\\N"}, {"x", "33"}, {"y", "2024-05-06"}},
    {{"k", "4"}, {"v", "\\N"}, {"s", "\\N"}, {"x", "44"}, {"y", "\\N"}},
};
const std::vector<Cells> kCsv = {
    {{"k", "11"}, {"v", "1"}, {"s", "a"}, {"x", "7"}, {"y", "\\N"}},
    {{"k", "12"}, {"v", "2"}, {"s", "b"}, {"x", "7"}, {"y", "\\N"}},
    {{"k", "13"}, {"v", "3"}, {"s", "c"}, {"x", "7"}, {"y", "\\N"}},
};
const std::vector<Cells> kTwoPhase = {
    {{"k", "21"}, {"v", "1"}, {"s", "\\N"}, {"x", "7"}, {"y", "\\N"}},
    {{"k", "22"}, {"v", "\\N"}, {"s", "\\N"}, {"x", "220"}, {"y", "\\N"}},
};

std::vector<std::string> lines_of(const std::vector<Cells>& load, const std::vector<std::string>& names) {
  std::vector<std::string> lines;
  for (const Cells& cells : load) {
    std::string line;
    for (const std::string& named : names) {
      const std::string name = named.substr(0, named.find(' '));
      if (&named != names.data()) line += '|';
      for (const auto& [column, cell] : cells) {
        if (column != (name == "z" ? "x" : name)) continue;
        line += cell;
        if (named == "y datetime" && cell != "\\N") line += "T00:00";
      }
    }
    lines.push_back(line);
  }
  return lines;
}

// Whether the load is there; its rows must all be, in their order.
bool is_there(Story& story, const char* what, const std::vector<std::string>& load,
              const std::vector<std::string>& rows) {
  std::vector<std::string> found;
  for (const std::string& row : rows) {
    const std::string key = row.substr(0, row.find('|'));
    for (const std::string& line : load) {
      if (line.substr(0, line.find('|')) == key) found.push_back(row);
    }
  }
  if (found.empty()) return false;
  if (found == load) return true;
  std::string text = std::string(what) + " has rows that it should not have:";
  for (const std::string& row : found) text += " " + row;
  story.must(text);
  return true;
}

void judge(Story& story, const std::vector<std::string>& names,
           const std::optional<std::vector<std::string>>& rows) {
  const auto has = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (!rows) {
    if (story.added) story.must("the table is gone");
    return;
  }
  const bool added = has("x int") || has("z int") || has("z bigint");
  const bool renamed = has("z int") || has("z bigint");
  if (has("y date") + has("y datetime") != added) story.must("ADD of two columns was done in part");
  if (has("z bigint") != has("y datetime")) story.must("MODIFY of two columns was done in part");
  if (story.added && !added) story.must("ADD COLUMN is forgotten");
  if (story.renamed && !renamed) story.must("RENAME COLUMN is forgotten");
  if (story.widened && !has("z bigint")) story.must("MODIFY COLUMN is forgotten");
  if (story.dropped && has("v int")) story.must("DROP COLUMN is forgotten");
  const bool json = is_there(story, "the JSON load", lines_of(kJson, names), *rows);
  const bool csv = is_there(story, "the CSV load", lines_of(kCsv, names), *rows);
  const bool two_phase = is_there(story, "the two-phase load", lines_of(kTwoPhase, names), *rows);
  if (story.plain_json && !json) story.must("the JSON load is gone");
  if (story.plain_csv && !csv) story.must("the CSV load is gone");
  if (story.committed && !two_phase) story.must("the committed load is gone");
  if ((json && !renamed) || (csv && has("v int")))
    story.must("a load is there that could not have ended yet");
  if (rows->size() != 4u * json + 3u * csv + 2u * two_phase) story.must("rows that nobody sent");
}

// A prepared load is committed when it is found: its rows are what they were.
core::Task<void> commit_prepared(txn::Store* store, Story* story) {
  if (!story->prepared || story->committed) co_return;
  const auto answer = co_await store->operate(
      {.kind = txn::TxnOperation::Kind::Commit, .database = "db", .txn = *story->prepared, .label = {}});
  if (!answer.done && answer.text.find("is already visible") == std::string::npos)
    story->must("commit: " + answer.text);
  story->committed = true;
}

TEST(Alter, loads_and_schemas_survive_an_end_at_every_operation) {
  std::uint64_t operations = 0;
  std::vector<std::string> names;
  std::optional<std::vector<std::string>> rows;
  {
    Story story;
    StoreWorld world(1, 2);
    std::string error;
    ASSERT_EQ(world.open(error), sim::RunStatus::Done);
    ASSERT_EQ(world.run(tell(&world.store(), &story)), sim::RunStatus::Done);
    ASSERT_EQ(world.run(read(&world.store(), &names, &rows)), sim::RunStatus::Done);
    judge(story, names, rows);
    ASSERT_EQ(story.violation, "");
    EXPECT_EQ(names, (std::vector<std::string>{"k bigint", "y datetime", "s varchar(10)", "z bigint"}));
    EXPECT_EQ(rows->size(), 9u);
    operations = world.world().op_count();
    ASSERT_EQ(world.close(), sim::RunStatus::Done);
  }
  for (std::uint64_t k = 1; k <= operations; ++k) {
    for (const auto pages : {sim::UnsyncedPolicy::KeepAll, sim::UnsyncedPolicy::Random}) {
      Story story;
      StoreWorld world(k, 2);
      std::string error;
      world.world().crash_at_op(k);
      if (world.open(error) == sim::RunStatus::Done) (void)world.run(tell(&world.store(), &story));
      world.lose_power(pages, sim::NamesPolicy::Random);
      for (int again = 0; again < 3; ++again) {
        ASSERT_EQ(world.open(error, 1 + static_cast<std::uint32_t>(again)), sim::RunStatus::Done);
        ASSERT_EQ(error, "") << k;
        const auto names_before = names;
        const auto rows_before = rows;
        ASSERT_EQ(world.run(read(&world.store(), &names, &rows)), sim::RunStatus::Done);
        judge(story, names, rows);
        ASSERT_EQ(story.violation, "") << "ended at operation " << k << ", opened " << again + 1 << " times";
        if (again != 0) {
          ASSERT_EQ(names, names_before) << k;
          if (again == 1) ASSERT_EQ(rows, rows_before) << k;
        }
        if (again == 1) ASSERT_EQ(world.run(commit_prepared(&world.store(), &story)), sim::RunStatus::Done);
        ASSERT_EQ(story.violation, "") << k;
        ASSERT_EQ(world.close(), sim::RunStatus::Done);
      }
    }
  }
}

}  // namespace
}  // namespace penstock::crash
