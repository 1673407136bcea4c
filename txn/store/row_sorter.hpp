// RowSorter: rows in, in any order; rows out, in the order of their keys.
//
// A row is two strings: a key (txn/column/sort_key) and whatever is to come out. Rows gather in runs, small enough that
// sorting one holds nobody up; next() merges the runs while the rows are on their way out. Of a sort that wants only its
// first rows, what can no longer be among them is dropped every now and then, so few of many cost little memory.
//
// Journey:  scan with order_by -> [RowSorter] -> reply.
// Shard:    one.
// Promise:  rows of equal keys come out in the order they came in; bytes() counts all memory it holds.
// Failure:  none: whoever adds rows looks at bytes().
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::txn {

class RowSorter {
 public:
  // Up to so many first rows, memory follows their number and not the table's.
  static constexpr std::uint64_t kSmallLimit = 16384;

  explicit RowSorter(std::uint64_t limit) : limit_(limit) {}

  void add(std::string_view key, std::string_view row);
  void finish();  // no more rows
  std::size_t bytes() const { return run_bytes_ + open_.memory(); }
  // The next row in order, valid until the call after (what is behind it gives its memory back); nothing behind the last, or after `limit` rows.
  std::optional<std::string_view> next();

 private:
  struct Entry {
    std::uint64_t at = 0;  // the key; the row follows it
    std::uint32_t key_size = 0;
    std::uint32_t row_size = 0;
  };
  struct Run {
    std::string bytes;
    std::vector<Entry> entries;
    std::size_t at = 0;  // of next()

    std::string_view key(const Entry& entry) const {
      return std::string_view(bytes).substr(entry.at, entry.key_size);
    }
    std::string_view row(const Entry& entry) const {
      return std::string_view(bytes).substr(entry.at + entry.key_size, entry.row_size);
    }
    void add(std::string_view key, std::string_view row);
    std::size_t memory() const { return bytes.capacity() + entries.capacity() * sizeof(Entry); }
  };
  void close_run();
  void keep_first_rows();
  void begin_merge();
  const Entry* merge_next(Run*& run);
  bool comes_later(std::size_t a, std::size_t b) const;

  const std::uint64_t limit_;
  std::vector<Run> runs_;  // sorted each, in the order their rows came
  Run open_;
  std::vector<std::size_t> heap_;  // runs with rows left; the one whose row is next in front
  std::optional<std::size_t> taken_;
  std::size_t run_bytes_ = 0;
  std::size_t pruned_bytes_ = 0;  // run_bytes_ when only the first rows were kept last
  std::uint64_t kept_ = 0;
  std::uint64_t given_ = 0;
  bool frees_ = false;                // runs that are read to their end
  std::optional<std::string> worst_;  // rows from this key on cannot be among the first
};

}  // namespace penstock::txn
