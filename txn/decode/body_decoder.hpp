// BodyDecoder: what a Load asks of whatever turns its body into rows, one virtual call a piece.
//
// Journey:  Load feeds it -> [BodyDecoder: CsvDecoder, JsonDecoder] -> BlockBuilder.
// Shard:    the shard of its load; never suspends.
// Promise:  after NeedInput all of the piece is consumed; after BlockFull the block ends with a whole row and
//           the rest of the piece, from `consumed` on, is to be fed again once the builder is cleared. After Paused too,
//           but the builder stays as it is: a call has worked long enough, and others are to have their turn. What is
//           left of the piece may be nothing; the next call, whichever it is, goes on with what is waiting. The
//           outcome depends on the body only, not on where it was cut.
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
  enum class State : std::uint8_t { NeedInput, BlockFull, Failed, Void, Paused };
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
  // The body has ended: call it, when all pieces are consumed, until it answers NeedInput or Failed.
  virtual FeedResult::State finish(BlockBuilder& builder) = 0;

  virtual std::uint64_t total_rows() const = 0;
  virtual const RowRejects& rejects() const = 0;
  virtual const std::string& error() const = 0;
  virtual std::string_view error_code() const { return "INVALID_ARGUMENT"; }
  virtual std::size_t reserved_bytes() const = 0;              // what an unfinished row holds
  virtual std::uint64_t unselected_rows() const { return 0; }  // good rows that `where` does not want

  // What rows hold that are decoded and not in the builder yet. settle() puts them there and gives the memory back;
  // after BlockFull it is to be called again, with the builder cleared, and after Paused as it is.
  virtual std::size_t waiting_bytes() const { return 0; }
  virtual FeedResult::State settle(BlockBuilder& builder) { return FeedResult::State::NeedInput; }

  // Where one row ends and the next begins in the body, if several decoders may share its rows: each gets whole rows, and
  // passes over those of the others. Empty: one decoder has to read all of this body.
  virtual std::string_view row_end() const { return {}; }
  // Whether nothing of a row is in hand and what may stand before the first row is behind it.
  virtual bool is_between_rows() const { return false; }
  // Only between rows, or of a decoder that has read nothing: the next byte is this one of the body, a row's first.
  virtual void go_to(std::uint64_t offset) {}
  // Only between rows: gives back the memory that it keeps for the next unfinished one.
  virtual void let_go() {}

  // Whether texts inside of nested values are written as in JSON.
  virtual bool has_json_escapes() const { return false; }

  std::uint64_t filtered_rows() const { return rejects().count(); }
  std::uint64_t loaded_rows() const { return total_rows() - filtered_rows() - unselected_rows(); }
};

}  // namespace penstock::txn
