// PartitionedDecoder: any decoder, of whose rows those are filtered that have no place in the table's partitions.
//
// Rows are judged a block at a time, when the decoder inside says that it is full: where blocks end, and so the
// outcome, does not depend on how the body was cut. A load into a table that takes every row does not come here.
//
// Journey:  Load -> [PartitionedDecoder] -> PartitionFilter; CsvDecoder, JsonDecoder or DerivingDecoder inside.
// Shard:    the shard of its load; never suspends.
// Promise:  that of BodyDecoder; behind BlockFull the builder may have no rows at all.
// Failure:  what the decoder inside says.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "txn/decode/body_decoder.hpp"
#include "txn/decode/partition_filter.hpp"

namespace penstock::txn {

class PartitionedDecoder final : public BodyDecoder {
 public:
  PartitionedDecoder(std::unique_ptr<BodyDecoder> inside, std::unique_ptr<PartitionFilter> filter,
                     const RowRejects::Limits& limits)
      : inside_(std::move(inside)), filter_(std::move(filter)), own_(limits) {}

  FeedResult feed(core::Bytes piece, BlockBuilder& builder) override;
  FeedResult::State finish(BlockBuilder& builder) override;

  std::uint64_t total_rows() const override { return inside_->total_rows(); }
  std::uint64_t unselected_rows() const override { return inside_->unselected_rows(); }
  const RowRejects& rejects() const override;
  const std::string& error() const override { return inside_->error(); }
  std::string_view error_code() const override { return inside_->error_code(); }
  std::size_t reserved_bytes() const override { return inside_->reserved_bytes(); }
  std::size_t waiting_bytes() const override { return inside_->waiting_bytes(); }
  FeedResult::State settle(BlockBuilder& builder) override;

  // The rows from here on are of another schema, as the decoder inside knows already.
  void follow(std::unique_ptr<PartitionFilter> filter) { filter_ = std::move(filter); }

 private:
  void judge(BlockBuilder& builder);
  void reject_row(const BlockBuilder& builder, std::size_t row);
  void forget_rows();

  std::unique_ptr<BodyDecoder> inside_;
  std::unique_ptr<PartitionFilter> filter_;
  std::vector<std::uint32_t> kept_;
  RowRejects own_;
  mutable JoinedRejects joined_;
};

}  // namespace penstock::txn
