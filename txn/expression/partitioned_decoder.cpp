#include "txn/expression/partitioned_decoder.hpp"

#include <utility>

#include "txn/column/value_format.hpp"
#include "txn/expression/row_copy.hpp"

namespace penstock::txn {

FeedResult PartitionedDecoder::feed(core::Bytes piece, BlockBuilder& builder) {
  const FeedResult fed = inside_->feed(piece, builder);
  if (fed.state == FeedResult::State::Void) forget_rows();
  if (fed.state == FeedResult::State::BlockFull || fed.state == FeedResult::State::Failed) judge(builder);
  return fed;
}

FeedResult::State PartitionedDecoder::finish(BlockBuilder& builder) {
  const FeedResult::State state = inside_->finish(builder);
  if (state == FeedResult::State::Void) {
    forget_rows();
  } else if (state != FeedResult::State::Paused) {
    judge(builder);
  }
  return state;
}

// The owner takes the rows out of the builder whatever the answer is.
FeedResult::State PartitionedDecoder::settle(BlockBuilder& builder) {
  const FeedResult::State state = inside_->settle(builder);
  if (state != FeedResult::State::Paused) judge(builder);
  return state;
}

const RowRejects& PartitionedDecoder::rejects() const { return joined_.of(inside_->rejects(), own_); }

void PartitionedDecoder::forget_rows() {
  own_ = RowRejects(own_.limits());
  joined_.forget();
}

void PartitionedDecoder::judge(BlockBuilder& builder) {
  const std::size_t rows = builder.rows();
  if (rows == 0) return;
  std::vector<ColumnView> views;
  for (const std::size_t column : filter_->columns()) views.push_back(builder.view(column));
  kept_.clear();
  for (std::size_t row = 0; row < rows; ++row) {
    if (filter_->has_place(views, row)) {
      kept_.push_back(static_cast<std::uint32_t>(row));
    } else if (own_.count_row()) {
      reject_row(builder, row);
    }
  }
  if (kept_.size() == rows) return;
  if (kept_.empty()) return builder.clear();
  for (ColumnBuilder& column : builder.columns()) {
    ColumnBuilder good(column.type());
    append_rows(column.view(), 0, kept_, good);
    column = std::move(good);
  }
}

// In Doris's words: the row itself stands in the reason, not behind it.
void PartitionedDecoder::reject_row(const BlockBuilder& builder, std::size_t row) {
  std::string reason = "no partition for this tuple. tuple={";
  const auto& columns = builder.schema().columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i != 0) reason += ", ";
    reason += columns[i].name;
    reason += ": ";
    append_cell(reason, builder.view(i), row);
    if (reason.size() > own_.limits().text_bytes_max) break;
  }
  own_.add_reason(reason + "}", "");
}

}  // namespace penstock::txn
