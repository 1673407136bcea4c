#include "txn/decode/row_rejects.hpp"

#include <fmt/format.h>

#include "core/base/check.hpp"
#include "txn/decode/text_to_value.hpp"

namespace penstock::txn {
namespace {

std::string_view cut(std::string_view text, std::size_t bytes_max) {
  return text.substr(0, utf8_prefix(text, bytes_max));
}

}  // namespace

void RowRejects::add_reason(std::string_view reason, std::string_view row) {
  reason = cut(reason, limits_.text_bytes_max);
  row = cut(row, limits_.text_bytes_max);
  if (ends_.empty()) first_reason_ = reason;
  log_ += fmt::format("Reason: {}. src line [{}]; \n", reason, row);
  end_entry();
}

void RowRejects::end_entry() {
  ends_.push_back(log_.size());
  if (ends_.size() == limits_.rows_max) {
    log_ += fmt::format("TOO MUCH ERROR! already reach {}. show no more next error.\n", limits_.rows_max);
  }
}

void RowRejects::add_all(const RowRejects& other) {
  if (ends_.empty()) first_reason_ = other.first_reason_;
  count_ += other.count_;
  for (const std::size_t end : other.ends_) ends_.push_back(log_.size() + end);
  log_ += other.log_;
}

// (The text behind an entry that is the last of its log is no part of it, and behind no other is there any.)
void RowRejects::add_kept(const RowRejects& other, std::size_t index) {
  if (!wants_more()) return;
  const std::size_t begin = index == 0 ? 0 : other.ends_[index - 1];
  if (ends_.empty()) {
    CHECK_EQ(index, 0u);  // in the body's order nobody's second is the first of all
    first_reason_ = other.first_reason_;
  }
  log_.append(other.log_, begin, other.ends_[index] - begin);
  end_entry();
}

}  // namespace penstock::txn
