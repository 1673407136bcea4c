// RowRejects: how many rows of a load were filtered, and why the first of them were.
//
// Journey:  decoders -> [RowRejects] -> net/load (counts, FirstErrorMsg, the error log behind ErrorURL).
// Shard:    the shard of its load.
// Promise:  at most rows_max reasons in at most bytes_max bytes are kept, however many rows are bad; nothing
// is
//           allocated for the rest.
// Failure:  none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::txn {

class RowRejects {
 public:
  struct Limits {
    std::size_t rows_max = 50;
    std::size_t text_bytes_max = 1024;  // of one reason, and of one row
    std::size_t bytes_max = 64 * 1024;  // of the whole log
  };
  RowRejects() = default;
  explicit RowRejects(const Limits& limits) : limits_(limits) {}

  // Counts one row; true if its reason is still wanted: then call add_reason().
  bool count_row() {
    ++count_;
    return wants_more();
  }
  void add_reason(std::string_view reason, std::string_view row);
  // Another's rows behind these.
  void add_all(const RowRejects& other);

  // The kept reasons one by one, for whoever puts those of several decoders of one body into the body's order.
  std::size_t kept() const { return ends_.size(); }
  // One of another's behind these, if it is still wanted; it does not count a row.
  void add_kept(const RowRejects& other, std::size_t index);
  void count_rows(std::uint64_t rows) { count_ += rows; }

  std::uint64_t count() const { return count_; }
  const std::string& first_reason() const { return first_reason_; }
  const std::string& log() const { return log_; }  // lines `Reason: {reason}. src line [{row}]; `
  const Limits& limits() const { return limits_; }

 private:
  bool wants_more() const { return ends_.size() < limits_.rows_max && log_.size() < limits_.bytes_max; }
  void end_entry();

  Limits limits_{};
  std::uint64_t count_ = 0;
  std::vector<std::size_t> ends_;  // of the kept ones in the log
  std::string first_reason_;
  std::string log_;
};

// What a decoder left out with what the one around it left out: joined when it is asked for, and only anew if there is more.
class JoinedRejects {
 public:
  const RowRejects& of(const RowRejects& inside, const RowRejects& own) {
    if (own.count() == 0) return inside;
    if (inside_counted_ != inside.count() || own_counted_ != own.count()) {
      all_ = inside;
      all_.add_all(own);
      inside_counted_ = inside.count();
      own_counted_ = own.count();
    }
    return all_;
  }
  void forget() { inside_counted_ = own_counted_ = 0; }

 private:
  RowRejects all_;
  std::uint64_t inside_counted_ = 0;
  std::uint64_t own_counted_ = 0;
};

}  // namespace penstock::txn
