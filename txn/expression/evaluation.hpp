// Evaluation: what kernels work with while a batch of rows goes through a program, and how much they may do.
//
// Work is counted in bytes read and made, and a little for each value: whoever runs programs lets others have their
// turn by it, and a row that asks for too much is refused. It depends on the rows alone, never on time.
//
// Journey:  Program::run -> [Evaluation] -> kernels.
// Shard:    one.
// Promise:  rows <= kBatchRowsMax.
// Failure:  spend: false when there was too much work already; what a kernel leaves out then does not matter, as the
//           batch's results mean nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/time_zone.hpp"
#include "txn/decode/row_batch.hpp"
#include "txn/expression/vector.hpp"

namespace penstock::txn {

inline constexpr std::size_t kBatchRowsMax = RowBatch::kRowsMax;

inline constexpr std::size_t kValueWork = 32;                     // of a value that a kernel makes
inline constexpr std::size_t kStepWorkMax = 2 * core::kMiB;       // then others have their turn
inline constexpr std::size_t kBatchWorkMax = 2 * kStepWorkMax;    // of several rows: fewer may do
inline constexpr std::size_t kRowWorkMax = 256 * core::kMiB;      // of one row
inline constexpr std::size_t kConstantWorkMax = 64 * core::kMiB;  // of all that depends on literals alone

// What is the same for a whole load or scan.
struct ExpressionOptions {
  std::int64_t now_micros = 0;  // in the time zone below
  core::TimeZone zone;
};

struct Evaluation {
  explicit Evaluation(const ExpressionOptions& of, std::size_t text_bytes_max = TextRoom::kBytesMax)
      : options(of), text(text_bytes_max) {}

  const ExpressionOptions options;
  std::size_t rows = 0;
  TextRoom text;
  std::size_t work = 0;
  std::size_t work_max = kRowWorkMax;

  bool spend(std::size_t bytes) {
    if (work <= work_max) work += bytes;
    return work <= work_max;
  }
  bool is_over() const { return work > work_max || text.is_over(); }
};

using Args = std::span<const Vector* const>;

// How many rows go through programs at once. It depends only on how the batches before went, and so on the rows.
class BatchSize {
 public:
  explicit BatchSize(std::size_t rows_max = kBatchRowsMax) : rows_max_(rows_max), rows_(rows_max) {}
  std::size_t rows() const { return rows_; }
  // A batch of `rows` was too much.
  void shrink(std::size_t rows) {
    rows_ = rows > 1 ? rows / 2 : 1;
    good_ = 0;
  }
  // After several that were not, more are tried: what was too much once may be so again.
  void took_one() {
    if (rows_ == rows_max_ || ++good_ < kGoodBatches) return;
    rows_ = rows_ * 2 < rows_max_ ? rows_ * 2 : rows_max_;
    good_ = 0;
  }

 private:
  static constexpr unsigned kGoodBatches = 8;
  std::size_t rows_max_;
  std::size_t rows_;
  unsigned good_ = 0;
};

}  // namespace penstock::txn
