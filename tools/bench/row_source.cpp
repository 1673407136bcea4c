#include "tools/bench/row_source.hpp"

#include <algorithm>

#include "tools/bench/gzip_member.hpp"

namespace penstock::tools {
namespace {

constexpr std::size_t kMembersMax = 50'000;  // small ones take longer to make than they are worth

}  // namespace

RowSource::RowSource(std::unique_ptr<RowRing> ring, std::uint64_t first_key, std::uint64_t member_rows)
    : ring_(std::move(ring)), first_key_(first_key), member_rows_(std::min(member_rows, ring_->rows())) {
  if (member_rows_ > 0) pack();
}

void RowSource::pack() {
  std::string rows;
  for (std::uint64_t at = 0; at + member_rows_ <= ring_->rows() && members_.size() < kMembersMax;
       at += member_rows_) {
    Member& member = members_.emplace_back();
    member.bytes = ring_->bytes_of(at, member_rows_);
    member.first_key = first_key_ + at;
    rows.resize(member.bytes);
    ring_->copy(rows.data(), at, member_rows_, member.first_key);
    append_gzip_member(member.packed, rows);
  }
}

RowSource::Taken RowSource::take(std::string& out, std::uint64_t room, std::uint64_t rows_max) {
  if (member_rows_ > 0) {
    if (rows_max < member_rows_) return {};
    const Member& member = members_[at_++ % members_.size()];
    out += member.packed;
    keys_.add_range(member.first_key, member_rows_);
    return {.rows = member_rows_, .bytes = member.bytes, .body_bytes = member.packed.size()};
  }
  const std::uint64_t key = first_key_ + at_;
  const std::uint64_t rows = ring_->rows_within(at_, room, std::min(rows_max, kEndKey - key));
  if (rows == 0) return {};
  const std::size_t before = out.size();
  const std::uint64_t bytes = ring_->bytes_of(at_, rows);
  out.resize_and_overwrite(before + bytes, [&](char* text, std::size_t) {
    ring_->copy(text + before, at_, rows, key);
    return before + bytes;
  });
  at_ += rows;
  keys_.add_range(key, rows);
  return {.rows = rows, .bytes = bytes, .body_bytes = bytes};
}

}  // namespace penstock::tools
