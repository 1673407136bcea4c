#include "txn/decode/row_rejects.hpp"

#include <fmt/format.h>

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
  if (kept_ == 0) first_reason_ = reason;
  ++kept_;
  log_ += fmt::format("Reason: {}. src line [{}]; \n", reason, row);
  if (kept_ == limits_.rows_max) {
    log_ += fmt::format("TOO MUCH ERROR! already reach {}. show no more next error.\n", limits_.rows_max);
  }
}

void RowRejects::add_all(const RowRejects& other) {
  if (kept_ == 0) first_reason_ = other.first_reason_;
  count_ += other.count_;
  kept_ += other.kept_;
  log_ += other.log_;
}

}  // namespace penstock::txn
