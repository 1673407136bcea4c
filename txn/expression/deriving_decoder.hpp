// DerivingDecoder: any decoder, with the expressions of the load applied to its rows.
//
// The decoder inside fills rows of the source schema; every few hundred of them go through the load's program into
// the real columns, and through `where`. The decoders themselves know nothing of expressions, and a load without any
// does not come here.
//
// Journey:  Load -> [DerivingDecoder] -> CsvDecoder or JsonDecoder, Program, RowFilter -> BlockBuilder.
// Shard:    the shard of its load; never suspends.
// Promise:  that of BodyDecoder; Paused whenever the programs have done kStepWorkMax. A block's first_row_offset is at most the place of its first row, and above that of
//           all rows before it.
// Failure:  what the decoder inside says. A row whose values are too long, or too much work, is filtered.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "txn/column/block_builder.hpp"
#include "txn/decode/body_decoder.hpp"
#include "txn/decode/column_decode.hpp"
#include "txn/expression/load_shape.hpp"

namespace penstock::txn {

class DerivingDecoder final : public BodyDecoder {
 public:
  struct Options {
    CellRules cells;
    BlockLimits block;
    RowRejects::Limits rejects;
  };
  // The scratch must outlive the decoder.
  DerivingDecoder(std::unique_ptr<BodyDecoder> inside, std::unique_ptr<Derivation> derivation,
                  const Options& options, DecodeScratch& scratch);

  FeedResult feed(core::Bytes piece, BlockBuilder& builder) override;
  FeedResult::State finish(BlockBuilder& builder) override;

  std::uint64_t total_rows() const override { return inside_->total_rows(); }
  std::uint64_t unselected_rows() const override { return unselected_; }
  const RowRejects& rejects() const override;
  const std::string& error() const override { return inside_->error(); }
  std::string_view error_code() const override { return inside_->error_code(); }
  std::size_t reserved_bytes() const override;
  std::size_t waiting_bytes() const override;
  FeedResult::State settle(BlockBuilder& builder) override;

  // The rows from here on are of another schema, as the decoder inside knows already. Only when settle() said
  // NeedInput last.
  void follow(std::unique_ptr<Derivation> derivation);

 private:
  using State = FeedResult::State;
  enum class Outcome : std::uint8_t { Taken, Full, TooMuch };

  State drain(BlockBuilder& builder, bool all);
  State take_batches(BlockBuilder& builder, bool all);
  bool is_small_enough(const Evaluation& evaluation);
  void reject_excess();
  Outcome take_rows(BlockBuilder& builder, std::size_t count);
  bool derive(std::size_t count);
  void store_result(std::size_t column, std::size_t count);
  bool choose(std::size_t count);
  void reject_bad_rows(std::size_t count);
  void reject_row(std::size_t row, std::string_view reason);
  bool end_source(BlockBuilder& builder);
  void forget_rows();

  std::unique_ptr<BodyDecoder> inside_;
  std::unique_ptr<Derivation> derivation_;
  Options options_;
  DecodeScratch& scratch_;
  BlockBuilder source_;                 // rows that came; those below at_ are done
  std::vector<ColumnBuilder> results_;  // per target column; the batch's values of those that are computed
  std::vector<ColumnView> views_;       // per target column, while a batch is worked on
  std::vector<std::uint32_t> kept_;     // rows of the batch
  BatchSize batch_;
  std::size_t work_ = 0;         // since others had their turn
  bool is_excess_work_ = false;  // what was too much: the work, or the texts
  std::size_t at_ = 0;
  std::size_t kept_in_builder_ = 0;  // of the source's rows, in the builder as it is now
  bool source_is_whole_ = false;     // no more rows come into this source
  bool inside_is_done_ = false;
  std::uint64_t unselected_ = 0;
  RowRejects own_;
  mutable JoinedRejects joined_;
};

}  // namespace penstock::txn
