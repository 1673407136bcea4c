// Random ALTER TABLE statements beside loads of both formats, plain and two-phase, against a model of what every row must
// be: which cells it has, over all the schemas that its columns have lived through.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/crash/altered_loads.hpp"

namespace penstock::txn {
namespace {

using crash::BodyFormat;
using crash::FollowingLoad;

enum class Kind { Int, BigInt, Varchar, Decimal, Date, DateTime };

struct Column {
  int id = 0;
  std::string name;
  Kind kind = Kind::Int;
  int digits = 2;               // of a Decimal
  std::optional<int> fallback;  // its default
};

std::string type_of(const Column& column) {
  switch (column.kind) {
    case Kind::Int:
      return "INT";
    case Kind::BigInt:
      return "BIGINT";
    case Kind::Varchar:
      return fmt::format("VARCHAR({})", 10 + column.digits);
    case Kind::Decimal:
      return fmt::format("DECIMAL({},{})", 6 + column.digits, column.digits);
    case Kind::Date:
      return "DATE";
    case Kind::DateTime:
      return "DATETIME";
  }
  return "";
}

// What number n is in a column of the kind: in a body, and in a scan.
std::string text_of(Kind kind, int n) {
  if (kind == Kind::Varchar) return "s" + std::to_string(n);
  if (kind == Kind::Date || kind == Kind::DateTime) return fmt::format("2024-01-{:02}", 1 + n % 28);
  return std::to_string(n);
}
std::string cell_of(const Column& column, std::optional<int> n) {
  if (!n) return "\\N";
  std::string text = text_of(column.kind, *n);
  if (column.kind == Kind::DateTime) text += "T00:00";
  if (column.kind == Kind::Decimal && column.digits > 0)
    text += "." + std::string(static_cast<std::size_t>(column.digits), '0');
  return text;
}

using Row = std::map<int, std::optional<int>>;  // column id -> number

struct Open {
  FollowingLoad load;
  BodyFormat format = BodyFormat::Csv;
  bool two_phase = false;
  std::vector<Column> began;                        // the columns that a CSV load keeps
  std::vector<std::pair<std::string, int>> former;  // names that columns had since then, the newest last
  std::vector<Row> rows;
  std::string in_hand;               // the second half of a row
  std::map<std::string, int> named;  // what that row says
  bool has_half = false;
};

class Model {
 public:
  Model(Store* store, std::uint64_t seed, std::size_t rows_max = 6)
      : store_(store), engine_(seed), rows_max_(rows_max) {
    columns_.push_back({.id = next_id_++, .name = "k", .kind = Kind::BigInt});
    columns_.push_back({.id = next_id_++, .name = "v", .kind = Kind::Int});
  }

  core::Task<void> run(int steps) {
    must(co_await crash::statement(store_, "CREATE DATABASE db"));
    must(co_await crash::statement(
        store_,
        "CREATE TABLE t (k BIGINT NOT NULL, v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 3"));
    for (int i = 0; i < steps && error_.empty(); ++i) {
      switch (below(8)) {
        case 0:
        case 1:
          co_await alter();
          break;
        case 2:
          if (open_.size() < 4) co_await begin();
          break;
        case 3:
          if (!open_.empty()) co_await end(below(open_.size()));
          break;
        case 4:
          if (!prepared_.empty()) co_await commit();
          break;
        default:
          if (!open_.empty()) co_await send(*open_[below(open_.size())]);
      }
      if (below(20) == 0) co_await compare();
    }
    while (!open_.empty() && error_.empty()) co_await end(0);
    while (!prepared_.empty() && error_.empty()) co_await commit();
    co_await compare();
  }

  core::Task<void> compare() {
    const auto rows = co_await crash::read_rows(store_);
    if (!rows) {
      must("the table is gone");
      co_return;
    }
    std::vector<std::string> wanted;
    for (const Row& row : visible_) {
      std::string& line = wanted.emplace_back();
      for (const Column& column : columns_) {
        if (column.id != columns_.front().id) line += '|';
        line += cell_of(column, row.at(column.id));
      }
    }
    std::map<int, int> last;  // of each load: its rows come in their order
    for (const std::string& line : *rows) {
      const int key = std::stoi(line);
      if (last.contains(key / 1000) && last[key / 1000] >= key)
        must(fmt::format("row {} comes behind row {}", key, last[key / 1000]));
      last[key / 1000] = key;
    }
    std::vector<std::string> got = *rows;
    std::sort(got.begin(), got.end());
    std::sort(wanted.begin(), wanted.end());
    for (std::size_t i = 0; i < std::max(got.size(), wanted.size()); ++i) {
      const std::string a = i < got.size() ? got[i] : "nothing";
      const std::string b = i < wanted.size() ? wanted[i] : "nothing";
      if (a != b) co_return must(fmt::format("a row is {}, and should be {}\n{}", a, b, history_));
    }
  }

  const std::string& error() const { return error_; }
  std::size_t rows() const { return visible_.size(); }

 private:
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(engine_() % end); }
  void must(const std::string& error) {
    if (error_.empty() && !error.empty()) error_ = error + "\n" + history_;
  }

  template <class Function>
  void for_all_rows(Function function) {
    for (Row& row : visible_) function(row);
    for (auto& [txn, rows] : prepared_) {
      for (Row& row : rows) function(row);
    }
    for (auto& open : open_) {
      for (Row& row : open->rows) function(row);
    }
  }

  std::string fresh_name() {
    static const char* const kNames[] = {"a", "b", "c", "d", "e", "v"};
    for (int turn = 0; turn < 20; ++turn) {
      const std::string name = kNames[below(6)];
      if (std::none_of(columns_.begin(), columns_.end(), [&](const Column& c) { return c.name == name; }))
        return name;
    }
    return "";
  }

  core::Task<void> alter() {
    std::string sql;
    const std::string name = fresh_name();
    const std::size_t at = 1 + (columns_.size() > 1 ? below(columns_.size() - 1) : 0);
    std::vector<Column> next = columns_;
    std::optional<Column> added;
    std::pair<std::string, int> renamed;
    switch (below(5)) {
      case 0:
      case 1: {
        if (name.empty() || columns_.size() > 7) co_return;
        Column column{.id = next_id_++, .name = name, .kind = static_cast<Kind>(below(6))};
        if (below(2) == 0) column.fallback = static_cast<int>(below(9));
        const std::size_t after = below(columns_.size());
        sql = fmt::format("ADD COLUMN {} {} {} {}", name, type_of(column),
                          column.fallback && below(2) == 0 ? "NOT NULL" : "",
                          column.fallback ? "DEFAULT '" + text_of(column.kind, *column.fallback) + "'" : "");
        sql += " AFTER " + columns_[after].name;
        next.insert(next.begin() + static_cast<std::ptrdiff_t>(after) + 1, column);
        added = column;
        break;
      }
      case 2:
        if (columns_.size() < 2) co_return;
        sql = "DROP COLUMN " + columns_[at].name;
        next.erase(next.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 3:
        if (name.empty() || columns_.size() < 2) co_return;
        sql = "RENAME COLUMN " + columns_[at].name + " " + name;
        renamed = {next[at].name, next[at].id};
        next[at].name = name;
        break;
      default: {
        if (columns_.size() < 2) co_return;
        Column& column = next[at];
        if (column.kind == Kind::Int) column.kind = Kind::BigInt;
        if (column.kind == Kind::Date) column.kind = Kind::DateTime;
        if (column.kind == Kind::Decimal || column.kind == Kind::Varchar) ++column.digits;
        if (column.kind == Kind::Decimal && column.digits > 12) co_return;
        sql = fmt::format("MODIFY COLUMN {} {}", column.name, type_of(column));
      }
    }
    history_ += sql + "\n";
    must(co_await crash::statement(store_, "ALTER TABLE t " + sql));
    columns_ = std::move(next);
    for (auto& open : open_) {
      if (renamed.first.empty()) break;
      std::erase(open->former, renamed);
      open->former.push_back(renamed);
    }
    if (added) for_all_rows([&](Row& row) { row[added->id] = added->fallback; });
  }

  core::Task<void> begin() {
    auto open = std::make_unique<Open>();
    open->format = below(2) == 0 ? BodyFormat::Csv : BodyFormat::Json;
    open->two_phase = below(3) == 0;
    open->began = columns_;
    ++loads_;
    history_ += fmt::format("begin {} {}\n", loads_, open->format == BodyFormat::Json ? "json" : "csv");
    open->load.began.label = std::to_string(loads_);
    numbers_[open.get()] = loads_;
    must(co_await crash::begin_following(store_, fmt::format("l{}", loads_), open->two_phase, open->format,
                                         &open->load));
    open_.push_back(std::move(open));
  }

  int next_key(const Open& open) { return numbers_.at(&open) * 1000 + static_cast<int>(open.rows.size()); }

  // Whose value comes under the name: of the column that is called so, or of the last that was and is still there.
  const Column* called(const Open& open, const std::string& name) const {
    for (const Column& column : columns_) {
      if (column.name == name) return &column;
    }
    for (auto old = open.former.rbegin(); old != open.former.rend(); ++old) {
      for (const Column& column : columns_) {
        if (old->first == name && old->second == column.id) return &column;
      }
    }
    return nullptr;
  }

  // A row of JSON is what its names mean when it is complete.
  Row meant(const Open& open, const std::map<std::string, int>& named) const {
    Row row;
    for (const Column& column : columns_) {
      row[column.id] = column.fallback;
      for (const auto& [name, id] : open.former) {
        if (id == column.id && called(open, name) == &column && named.contains(name))
          row[id] = named.at(name);
      }
      if (const auto found = named.find(column.name); found != named.end()) row[column.id] = found->second;
    }
    return row;
  }

  core::Task<void> send(Open& open) {
    std::string text = open.in_hand;
    if (open.has_half) {
      open.rows.push_back(meant(open, open.named));
      open.in_hand.clear();
      open.has_half = false;
    }
    const int count = 1 + static_cast<int>(below(rows_max_));
    for (int i = 0; i < count; ++i) {
      if (open.format == BodyFormat::Csv) {
        Row row;
        for (const Column& column : columns_) row[column.id] = column.fallback;  // of those that came later
        for (const Column& column : open.began) {
          const int n = column.id == 0 ? next_key(open) : static_cast<int>(below(9));
          if (column.id != 0) text += '\t';
          const bool is_null = column.id != 0 && !column.fallback && below(4) == 0;
          text += is_null ? "\\N" : text_of(column.kind, n);
          row[column.id] = is_null ? std::nullopt : std::optional(n);
        }
        text += '\n';
        open.rows.push_back(std::move(row));
        continue;
      }
      std::map<std::string, int> named{{"k", next_key(open)}};
      std::string line = fmt::format("{{\"k\":{}", named["k"]);
      for (const char* name : {"a", "b", "c", "d", "e", "v"}) {
        if (below(3) == 0) continue;
        const Column* const column = called(open, name);
        const int n = static_cast<int>(below(9));
        named[name] = n;
        line += fmt::format(",\"{}\":\"{}\"", name, text_of(column == nullptr ? Kind::Int : column->kind, n));
      }
      line += "}\n";
      if (i + 1 == count && below(3) == 0 && is_harmless(named)) {
        const std::size_t cut = 1 + below(line.size() - 1);
        text += line.substr(0, cut);
        open.in_hand = line.substr(cut);
        open.named = std::move(named);
        open.has_half = true;
      } else {
        text += line;
        open.rows.push_back(meant(open, named));
      }
    }
    must(co_await crash::send_more(&open.load, text));
  }

  // Whether a row may be completed under any schema: its only value is its key. (A text may not fit a later column.)
  static bool is_harmless(const std::map<std::string, int>& named) { return named.size() == 1; }

  core::Task<void> end(std::size_t at) {
    std::unique_ptr<Open> open = std::move(open_[at]);
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(at));
    if (open->has_half) {
      must(co_await crash::send_more(&open->load, open->in_hand));
      open->rows.push_back(meant(*open, open->named));
    }
    const TxnId txn = open->load.began.txn;
    history_ += fmt::format("end {}\n", numbers_.at(open.get()));
    must(co_await crash::end_following(&open->load));
    numbers_.erase(open.get());
    if (open->two_phase) {
      prepared_.emplace_back(txn, std::move(open->rows));
    } else {
      visible_.insert(visible_.end(), open->rows.begin(), open->rows.end());
    }
  }

  core::Task<void> commit() {
    auto [txn, rows] = std::move(prepared_.back());
    prepared_.pop_back();
    const auto answer = co_await store_->operate(
        {.kind = TxnOperation::Kind::Commit, .database = "db", .txn = txn, .label = {}});
    if (!answer.done) must(answer.text);
    visible_.insert(visible_.end(), rows.begin(), rows.end());
  }

  Store* store_;
  std::mt19937_64 engine_;
  const std::size_t rows_max_;  // of one piece
  int next_id_ = 0;
  int loads_ = 0;
  std::vector<Column> columns_;
  std::vector<Row> visible_;
  std::vector<std::pair<TxnId, std::vector<Row>>> prepared_;
  std::vector<std::unique_ptr<Open>> open_;
  std::map<const Open*, int> numbers_;
  std::string history_;
  std::string error_;
};

TEST(AlterModel, random_alterations_beside_loads_leave_every_row_what_it_must_be) {
  std::size_t rows = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    crash::StoreWorld world(seed, 1 + seed % 3);
    std::string error;
    ASSERT_EQ(world.open(error), sim::RunStatus::Done);
    Model model(&world.store(), seed);
    ASSERT_EQ(world.run(model.run(120)), sim::RunStatus::Done);
    ASSERT_EQ(model.error(), "") << "seed " << seed;
    ASSERT_EQ(world.close(), sim::RunStatus::Done);
    rows += model.rows();
  }
  EXPECT_GT(rows, 3000u);
}

core::Task<std::uint64_t> segments_there(StoreShard* shard) { co_return shard->segments(); }
core::Task<void> sum_segments(Store* store, std::uint64_t* segments) {
  for (const auto& shard : store->here().peers()) {
    StoreShard* const at = shard.get();
    *segments += co_await core::call_on(at->shard().id(), [at] { return segments_there(at); });
  }
}

TEST(AlterModel, random_alterations_beside_split_loads_leave_every_row_what_it_must_be) {
  std::size_t rows = 0;
  std::uint64_t segments = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    StoreLimits limits = crash::tiny_limits();
    limits.block.rows_max = 4;
    limits.block.input_bytes_max = 100 + 40 * (seed % 5);
    limits.split_segments = 1 + seed % 5;
    if (seed % 4 == 0) limits.load_memory_max = 4000 + 500 * (seed % 16);
    crash::StoreWorld world(seed, 2 + seed % 3, limits);
    std::string error;
    ASSERT_EQ(world.open(error), sim::RunStatus::Done);
    Model model(&world.store(), seed, 40);
    ASSERT_EQ(world.run(model.run(150)), sim::RunStatus::Done);
    ASSERT_EQ(model.error(), "") << "seed " << seed;
    ASSERT_EQ(world.run(sum_segments(&world.store(), &segments)), sim::RunStatus::Done);
    ASSERT_EQ(world.close(), sim::RunStatus::Done);
    rows += model.rows();
  }
  EXPECT_GT(rows, 3000u);
  EXPECT_GT(segments, 200u);
}

core::Task<void> alter_beside(Store* store, std::vector<std::string> clauses, std::string* error) {
  const auto must = [&](const std::string& text) { *error += text; };
  must(co_await crash::statement(store, "CREATE DATABASE db"));
  must(co_await crash::statement(
      store, "CREATE TABLE t (k BIGINT NOT NULL, v INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 1"));
  FollowingLoad load;
  must(co_await crash::begin_following(store, "l", false, BodyFormat::Json, &load));
  must(co_await crash::send_more(&load, "{\"k\":0,\"v\":0}\n"));
  for (std::size_t i = 0; i < clauses.size(); ++i) {
    must(co_await crash::statement(store, "ALTER TABLE t " + clauses[i]));
    must(co_await crash::send_more(&load, fmt::format("{{\"k\":{},\"v\":{}}}\n", i + 1, i + 1)));
  }
  must(co_await crash::end_following(&load));
}

core::Task<void> count_blocks(Store* store, std::size_t* blocks, std::size_t* rows) {
  auto scan = co_await store->scan("db", "t");
  for (;;) {
    const auto block = co_await (*scan)->next({(*scan)->table().schema->columns[0].id});
    if (!block || !*block) break;
    ++*blocks;
    *rows += (*block)->rows();
  }
  co_await store->close_scan(**scan);
}

TEST(AlterLoads, what_changes_no_row_writes_no_block) {
  const std::vector<std::string> harmless{"MODIFY COLUMN v COMMENT 'a'", "MODIFY COMMENT 'b'",
                                          "MODIFY COLUMN v COMMENT 'c'",
                                          "MODIFY COLUMN k BIGINT NOT NULL COMMENT 'd'"};
  const std::vector<std::string> not_harmless{"ADD COLUMN a INT", "MODIFY COLUMN v BIGINT", "DROP COLUMN a",
                                              "RENAME COLUMN v w"};
  for (const auto& [clauses, wanted] :
       {std::pair(harmless, std::size_t{1}), std::pair(not_harmless, std::size_t{5})}) {
    crash::StoreWorld world(1, 1);
    std::string error;
    std::size_t blocks = 0;
    std::size_t rows = 0;
    ASSERT_EQ(world.open(error), sim::RunStatus::Done);
    ASSERT_EQ(world.run(alter_beside(&world.store(), clauses, &error)), sim::RunStatus::Done);
    ASSERT_EQ(world.run(count_blocks(&world.store(), &blocks, &rows)), sim::RunStatus::Done);
    EXPECT_EQ(error, "");
    EXPECT_EQ(rows, 5u);
    EXPECT_EQ(blocks, wanted) << clauses.front();
    ASSERT_EQ(world.close(), sim::RunStatus::Done);
  }
}

}  // namespace
}  // namespace penstock::txn
