// Evaluation: what kernels work with while a batch of rows goes through a program.
//
// Journey:  Program::run -> [Evaluation] -> kernels.
// Shard:    one.
// Promise:  rows <= kBatchRowsMax.
// Failure:  none of its own.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/time_zone.hpp"
#include "txn/decode/row_batch.hpp"
#include "txn/expression/vector.hpp"

namespace penstock::txn {

inline constexpr std::size_t kBatchRowsMax = RowBatch::kRowsMax;

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
};

using Args = std::span<const Vector* const>;

}  // namespace penstock::txn
