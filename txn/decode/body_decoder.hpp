// BodyDecoder: what a Load asks of whatever turns its body into rows, one virtual call a piece.
//
// Journey:  Load feeds it -> [BodyDecoder: CsvDecoder, JsonDecoder] -> BlockBuilder.
// Shard:    the shard of its load; never suspends.
// Promise:  after NeedInput all of the piece is consumed; after BlockFull the block ends with a whole row and
//           the rest of the piece, from `consumed` on, is to be fed again once the builder is cleared. The outcome
//           depends on the body only, not on where it was cut.
// Failure:  Failed for ever, with error() and error_code(). Void: the body turned out to be one broken document;
//           none of its rows counts, the owner drops what it has of them and goes on feeding. Bad rows are counted
//           in rejects().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "txn/column/block_builder.hpp"
#include "txn/decode/row_rejects.hpp"

namespace penstock::txn {

struct FeedResult {
  enum class State : std::uint8_t { NeedInput, BlockFull, Failed, Void };
  std::size_t consumed = 0;
  State state = State::NeedInput;
};

class BodyDecoder {
 public:
  BodyDecoder() = default;
  BodyDecoder(const BodyDecoder&) = delete;
  BodyDecoder& operator=(const BodyDecoder&) = delete;
  virtual ~BodyDecoder() = default;

  virtual FeedResult feed(core::Bytes piece, BlockBuilder& builder) = 0;
  // The body has ended: call it, when all pieces are consumed, until it answers neither BlockFull nor Void.
  virtual FeedResult::State finish(BlockBuilder& builder) = 0;

  virtual std::uint64_t total_rows() const = 0;
  virtual const RowRejects& rejects() const = 0;
  virtual const std::string& error() const = 0;
  virtual std::string_view error_code() const { return "INVALID_ARGUMENT"; }
  virtual std::size_t reserved_bytes() const = 0;              // what an unfinished row holds
  virtual std::uint64_t unselected_rows() const { return 0; }  // good rows that `where` does not want

  // What rows hold that are decoded and not in the builder yet. settle() puts them there and gives the memory back;
  // after BlockFull it is to be called again, with the builder cleared.
  virtual std::size_t waiting_bytes() const { return 0; }
  virtual FeedResult::State settle(BlockBuilder& builder) { return FeedResult::State::NeedInput; }

  // Whether texts inside of nested values are written as in JSON.
  virtual bool has_json_escapes() const { return false; }

  std::uint64_t filtered_rows() const { return rejects().count(); }
  std::uint64_t loaded_rows() const { return total_rows() - filtered_rows() - unselected_rows(); }
};

}  // namespace penstock::txn
