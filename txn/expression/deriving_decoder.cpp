#include "txn/expression/deriving_decoder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/check.hpp"
#include "txn/column/value_format.hpp"
#include "txn/decode/cell_reason.hpp"
#include "txn/expression/cast.hpp"
#include "txn/expression/row_copy.hpp"

namespace penstock::txn {
namespace {

constexpr std::size_t kResultBytesMax = TextRoom::kBytesMax;  // of a batch's computed columns
constexpr std::size_t kResultBytesKept = 4 * core::kMiB;
constexpr std::size_t kColumnWork = 64;  // of each column of a batch, however few its rows

template <class T>
void store_numbers(const Vector& values, std::size_t count, ColumnBuilder& out) {
  T* to = out.extend_values<T>(count);
  for (std::size_t row = 0; row < count; ++row) to[row] = static_cast<T>(values.number(row));
}
template <class T>
void store_reals(const Vector& values, std::size_t count, ColumnBuilder& out) {
  T* to = out.extend_values<T>(count);
  for (std::size_t row = 0; row < count; ++row) to[row] = static_cast<T>(values.real(row));
}

void store_values(const Vector& values, const Type& type, std::size_t count, ColumnBuilder& out) {
  if (type.kind == TypeKind::Float) return store_reals<float>(values, count, out);
  if (type.kind == TypeKind::Double) return store_reals<double>(values, count, out);
  switch (fixed_width(type)) {
    case 1:
      return store_numbers<std::int8_t>(values, count, out);
    case 2:
      return store_numbers<std::int16_t>(values, count, out);
    case 4:
      return store_numbers<std::int32_t>(values, count, out);
    case 8:
      return store_numbers<std::int64_t>(values, count, out);
    default:
      return store_numbers<Int128>(values, count, out);
  }
}

}  // namespace

DerivingDecoder::DerivingDecoder(std::unique_ptr<BodyDecoder> inside, std::unique_ptr<Derivation> derivation,
                                 const Options& options, DecodeScratch& scratch)
    : inside_(std::move(inside)),
      options_(options),
      scratch_(scratch),
      source_(derivation->source),
      own_(options.rejects) {
  options_.cells.has_json_escapes = inside_->has_json_escapes();
  follow(std::move(derivation));
}

void DerivingDecoder::follow(std::unique_ptr<Derivation> derivation) {
  CHECK_EQ(source_.rows(), 0u);
  derivation_ = std::move(derivation);
  source_ = BlockBuilder(derivation_->source);
  results_.clear();
  for (const ColumnDef& column : derivation_->target->columns) results_.emplace_back(column.type);
  views_.assign(results_.size(), {});
  std::size_t rows = kStepWorkMax / (kValueWork * std::max<std::size_t>(results_.size(), 1));
  rows = std::min(std::clamp<std::size_t>(rows, 1, kBatchRowsMax), derivation_->program->batch_rows_max());
  if (derivation_->filter != nullptr) rows = std::min(rows, derivation_->filter->batch_rows_max());
  batch_ = BatchSize(rows);
}

FeedResult DerivingDecoder::feed(core::Bytes piece, BlockBuilder& builder) {
  FeedResult result;
  for (;;) {
    if (const State state = drain(builder, source_is_whole_); state != State::NeedInput) {
      return {result.consumed, state};
    }
    if (source_is_whole_ && end_source(builder)) return {result.consumed, State::BlockFull};
    if (result.consumed == piece.size()) return result;
    const FeedResult fed = inside_->feed(piece.subspan(result.consumed), source_);
    result.consumed += fed.consumed;
    source_is_whole_ = fed.state == State::BlockFull;
    if (fed.state == State::Void) forget_rows();
    if (fed.state != State::NeedInput && fed.state != State::BlockFull) return {result.consumed, fed.state};
  }
}

FeedResult::State DerivingDecoder::finish(BlockBuilder& builder) {
  for (;;) {
    if (const State state = drain(builder, source_is_whole_); state != State::NeedInput) return state;
    if (source_is_whole_ && end_source(builder)) return State::BlockFull;
    if (inside_is_done_) return State::NeedInput;
    const State state = inside_->finish(source_);
    if (state == State::Void) forget_rows();
    if (state != State::NeedInput && state != State::BlockFull) return state;
    source_is_whole_ = true;
    inside_is_done_ = state == State::NeedInput;
  }
}

FeedResult::State DerivingDecoder::settle(BlockBuilder& builder) {
  if (const State state = drain(builder, true); state != State::NeedInput) return state;
  end_source(builder);
  source_.release_memory();
  derivation_->program->release_memory();
  if (derivation_->filter != nullptr) derivation_->filter->release_memory();
  for (ColumnBuilder& column : results_) column.release_memory();
  return State::NeedInput;
}

std::size_t DerivingDecoder::waiting_bytes() const {
  std::size_t sum = source_.reserved_bytes() + derivation_->program->reserved_bytes();
  if (derivation_->filter != nullptr) sum += derivation_->filter->reserved_bytes();
  for (const ColumnBuilder& column : results_) sum += column.reserved_bytes();
  return sum;
}

// With what settle() cannot give back.
std::size_t DerivingDecoder::reserved_bytes() const {
  return inside_->reserved_bytes() + derivation_->program->fixed_bytes() +
         (derivation_->filter == nullptr ? 0 : derivation_->filter->fixed_bytes());
}

const RowRejects& DerivingDecoder::rejects() const { return joined_.of(inside_->rejects(), own_); }

void DerivingDecoder::forget_rows() {
  source_.clear();
  at_ = kept_in_builder_ = 0;
  source_is_whole_ = false;
  unselected_ = 0;
  own_ = RowRejects(options_.rejects);
  joined_.forget();
}

// NeedInput: all that can be taken is in the builder.
FeedResult::State DerivingDecoder::drain(BlockBuilder& builder, bool all) {
  const State state = take_batches(builder, all);
  Program& program = *derivation_->program;
  if (program.reserved_bytes() > kProgramBytesKept) program.release_memory();
  RowFilter* const filter = derivation_->filter.get();
  if (filter != nullptr && filter->reserved_bytes() > kProgramBytesKept) filter->release_memory();
  std::size_t bytes = 0;
  for (const ColumnBuilder& column : results_) bytes += column.reserved_bytes();
  if (bytes > kResultBytesKept) {
    for (ColumnBuilder& column : results_) column.release_memory();
  }
  return state;
}

// Rows go in batches that begin at the same rows however they came.
FeedResult::State DerivingDecoder::take_batches(BlockBuilder& builder, bool all) {
  while (at_ < source_.rows()) {
    const std::size_t rows = source_.rows() - at_;
    if (rows < batch_.rows() && !all) break;
    if (work_ > kStepWorkMax) {
      work_ = 0;
      return State::Paused;
    }
    const std::size_t count = std::min(rows, batch_.rows());
    const Outcome outcome = take_rows(builder, count);
    work_ +=
        derivation_->program->evaluation().work + kColumnWork * (views_.size() + source_.columns().size());
    if (derivation_->filter != nullptr) work_ += derivation_->filter->evaluation().work;
    if (outcome == Outcome::Full) return State::BlockFull;
    if (outcome == Outcome::TooMuch && count > 1) {
      batch_.shrink(count);
      continue;
    }
    if (outcome == Outcome::TooMuch) {
      reject_excess();
    } else {
      batch_.took_one();
    }
    at_ += count;
  }
  return State::NeedInput;
}

bool DerivingDecoder::is_small_enough(const Evaluation& evaluation) {
  is_excess_work_ = evaluation.work > evaluation.work_max;
  return !evaluation.is_over();
}

// The next row alone is too much.
void DerivingDecoder::reject_excess() {
  if (!own_.count_row()) return;
  if (is_excess_work_) {
    reject_row(
        0, fmt::format("its expressions take too much work: more than {} bytes read and made", kRowWorkMax));
  } else {
    reject_row(0, fmt::format("the values of its expressions are longer than {} bytes", kResultBytesMax));
  }
}

DerivingDecoder::Outcome DerivingDecoder::take_rows(BlockBuilder& builder, std::size_t count) {
  scratch_.bad.clear();
  if (!derive(count) || !choose(count)) return Outcome::TooMuch;
  std::size_t bytes = source_.bytes() / source_.rows() * count;
  for (const ColumnBuilder& column : results_) bytes += column.bytes();
  const bool is_too_much = builder.rows() + kept_.size() > options_.block.rows_max ||
                           builder.bytes() + bytes > options_.block.memory_bytes_max;
  if (builder.rows() != 0 && is_too_much) return Outcome::Full;  // the batch comes again
  reject_bad_rows(count);
  unselected_ += count - scratch_.bad.count - kept_.size();
  if (kept_.empty()) return Outcome::Taken;
  if (builder.rows() == 0) {
    builder.set_input(source_.first_row_offset() + at_ + kept_[0], 0);
    kept_in_builder_ = 0;
  }
  const std::span<ColumnBuilder> columns = builder.columns();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    append_rows(views_[i], derivation_->targets[i].is_result ? 0 : at_, kept_, columns[i]);
  }
  kept_in_builder_ += kept_.size();
  return Outcome::Taken;
}

// The values of the batch's rows for all computed columns. False: too much.
bool DerivingDecoder::derive(std::size_t count) {
  Program& program = *derivation_->program;
  std::vector<ColumnView> views;
  std::vector<ColumnRows> rows;
  for (std::size_t i = 0; i < derivation_->source->columns.size(); ++i) views.push_back(source_.view(i));
  for (const ColumnView& view : views) rows.push_back({&view, at_});
  if (program.size() != 0 && !program.run(rows, count)) return is_small_enough(program.evaluation());
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < results_.size(); ++i) {
    const Derivation::Target& target = derivation_->targets[i];
    if (target.is_result) {
      results_[i].clear();
      store_result(i, count);
      if (!is_small_enough(program.evaluation())) return false;
      bytes += results_[i].bytes();
      if (bytes > kResultBytesMax) return false;
      views_[i] = results_[i].view();
    } else {
      views_[i] = views[target.source];
    }
  }
  return true;
}

void DerivingDecoder::store_result(std::size_t column, std::size_t count) {
  const Derivation::Target& target = derivation_->targets[column];
  const ColumnDef& definition = derivation_->target->columns[column];
  Evaluation& evaluation = derivation_->program->evaluation();
  ColumnBuilder& out = results_[column];
  BadRows& bad = scratch_.bad;
  const Vector* values = &derivation_->program->result(target.node);
  Vector converted;
  const ValueType type = value_type(definition.type);
  const bool is_text = values->type.kind == ValueKind::String;
  if (!is_text && type.kind != ValueKind::Null && type.kind != ValueKind::String) {
    cast_to_type(evaluation, *values, definition.type, converted);
    store_values(converted, definition.type, count, out);
    for (std::size_t row = 0; row < count; ++row) {
      if (converted.nulls[row] == 0) continue;
      if (definition.nullable) {
        out.mark_null(row);
      } else {
        bad.add(row, static_cast<std::uint32_t>(column), BadCell::Null);
      }
    }
    return;
  }
  // Texts are converted as cells of a load are.
  if (!is_text) {
    cast_values(evaluation, *values, kStringValue, converted);
    values = &converted;
  }
  for (std::size_t row = 0; row < count; ++row) {
    if (values->is_null(row)) {
      scratch_.cells.set(row, CellList::null_cell());
    } else {
      const std::string_view text = values->text(row);
      evaluation.spend(text.size());
      scratch_.cells.set(row, {text.empty() ? kEmptyText.data() : text.data(), text.size()});
    }
  }
  // strict_mode is about cells; of what is computed only the length counts.
  CellRules rules = options_.cells;
  rules.strict = rules.strict && (target.is_plain || is_string(definition.type));
  const ColumnSource source{static_cast<std::uint32_t>(column), 0, definition, rules};
  decode_cells(scratch_.cells.data(), count, source, out, bad);
}

// Which rows of the batch go on. False: too much.
bool DerivingDecoder::choose(std::size_t count) {
  kept_.clear();
  RowFilter* const filter = derivation_->filter.get();
  if (filter == nullptr) {
    for (std::size_t row = 0; row < count; ++row) kept_.push_back(static_cast<std::uint32_t>(row));
  } else {
    std::vector<ColumnRows> rows;
    for (const std::size_t column : filter->columns()) {
      rows.push_back({&views_[column], derivation_->targets[column].is_result ? 0 : at_});
    }
    if (!filter->keep(rows, count, kept_)) return is_small_enough(filter->evaluation());
  }
  if (scratch_.bad.count != 0)
    std::erase_if(kept_, [this](std::uint32_t row) { return scratch_.bad.has(row); });
  return true;
}

void DerivingDecoder::reject_bad_rows(std::size_t count) {
  if (scratch_.bad.count == 0) return;
  std::string value;
  for (std::size_t row = 0; row < count; ++row) {
    if (!scratch_.bad.has(row) || !own_.count_row()) continue;
    const BadRows::Cell& cell = scratch_.bad.cells[row];
    value.clear();
    append_value(value, derivation_->program->result(derivation_->targets[cell.column].node), row);
    reject_row(row, bad_cell_reason(cell.why, derivation_->target->columns[cell.column], value,
                                    options_.rejects.text_bytes_max));
  }
}

// With the row's values as they came, for whoever looks for it.
void DerivingDecoder::reject_row(std::size_t row, std::string_view reason) {
  std::string line;
  for (std::size_t i = 0; i < derivation_->source->columns.size(); ++i) {
    if (i != 0) line += ' ';
    append_cell(line, source_.view(i), at_ + row);
    if (line.size() > options_.rejects.text_bytes_max) break;
  }
  own_.add_reason(reason, line);
}

// All rows of the source are done. True: the builder is full now.
bool DerivingDecoder::end_source(BlockBuilder& builder) {
  if (source_.rows() != 0 && builder.rows() != 0) {
    const std::size_t input = source_.input_bytes() * kept_in_builder_ / source_.rows();
    builder.set_input(builder.first_row_offset(), builder.input_bytes() + input);
  }
  source_.clear();
  at_ = kept_in_builder_ = 0;
  source_is_whole_ = false;
  return builder.is_full(options_.block);
}

}  // namespace penstock::txn
