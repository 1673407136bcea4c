// LogRecord: one entry of the commit log. Layout in docs/formats/commit_log.md.
//
// A record is written in one piece, padded to whole pages, carries its sequence number and the checksum of the record
// before it, and holds a list of items. It is all or nothing: every item of it takes effect, or none.
//
// Journey:  Coordinator builds it -> CommitLog writes it -> Manifest applies it; recovery reads and applies it again.
// Shard:    shard 0; values.
// Promise:  decode(encode(r)) == r at the same place; a checksum is bound to (store, file, offset).
// Failure:  Errc::Corrupt. Whether that is a torn tail or damage is for the reader of the whole log to say. Errc::Unsupported:
//           it verifies, and its items do not decode. A newer penstock wrote it, and it decides something: never a torn tail.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/checksum.hpp"
#include "core/base/result.hpp"
#include "txn/checkpoint/transaction.hpp"
#include "txn/journal/extent.hpp"
#include "txn/journal/file_header.hpp"
#include "txn/rowset/tablet_set.hpp"
#include "txn/schema/catalog.hpp"

namespace penstock::txn {

// Where a record lies, and what the next one must name.
struct RecordPlace {
  FileId file;
  std::uint64_t offset = 0;
  std::uint64_t sequence = 0;
  std::uint64_t checksum = 0;
  friend bool operator==(const RecordPlace&, const RecordPlace&) = default;
};

// The first record of every run: the last accepted record of the run before, named and repeated in full. Whatever lies
// behind that point in earlier logs is ignored for ever.
struct BootItem {
  bool has_previous = false;
  RecordPlace previous;
  std::vector<std::byte> previous_record;
  friend bool operator==(const BootItem&, const BootItem&) = default;
};
// TxnIds below `end` may be given out by this run.
struct TxnRangeItem {
  std::uint64_t end = 0;
  friend bool operator==(const TxnRangeItem&, const TxnRangeItem&) = default;
};
// A two-phase load is precommitted: durable, invisible.
struct PreparedItem {
  LoadInfo load;
  std::vector<FooterRef> footers;
  friend bool operator==(const PreparedItem&, const PreparedItem&) = default;
};
// These loads become visible together: plain ones with their footers, and two-phase ones prepared before.
struct CheckpointItem {
  CheckpointNumber number;
  std::uint64_t running_seconds = 0;  // of the store, over all its runs: label retention counts it
  std::vector<LoadInfo> loads;
  std::vector<TxnId> prepared;
  std::vector<FooterRef> footers;
  friend bool operator==(const CheckpointItem&, const CheckpointItem&) = default;
};
struct AbortedItem {
  TxnId txn;
  std::string reason;
  friend bool operator==(const AbortedItem&, const AbortedItem&) = default;
};
struct DdlItem {
  CatalogChange change;
  friend bool operator==(const DdlItem&, const DdlItem&) = default;
};
// A complete snapshot of everything up to `sequence` is durable in `file`.
struct SnapshotItem {
  FileId file;
  std::uint64_t length = 0;
  std::uint64_t checksum = 0;
  std::uint64_t sequence = 0;
  friend bool operator==(const SnapshotItem&, const SnapshotItem&) = default;
};

// So long the store has run, over all its runs. In front of what is prepared in the same record, and now and then while
// something is: a restart does not begin their ages anew.
struct TimeItem {
  std::uint64_t running_seconds = 0;
  friend bool operator==(const TimeItem&, const TimeItem&) = default;
};

// Pieces of journals that were still being written, durably, when this record was: rows of its loads. The next record is not
// written before they are durable, so only of the last one may they be missing; then it says nothing.
struct InFlightItem {
  std::vector<Extent> pieces;  // RecordKind::Piece
  friend bool operator==(const InFlightItem&, const InFlightItem&) = default;
};

// In a Boot record whose last accepted record has an InFlight item: such a piece, in full. Until the run has written it again to
// its place, and made it durable, this is where it is read.
using PieceItem = JournalPiece;

using LogItem = std::variant<BootItem, TxnRangeItem, PreparedItem, CheckpointItem, AbortedItem, DdlItem,
                             SnapshotItem, TimeItem, InFlightItem, PieceItem>;

struct LogRecord {
  std::uint64_t sequence = 0;
  std::uint64_t previous_checksum = 0;
  std::vector<LogItem> items;

  static constexpr std::size_t kHeaderBytes = 40;
  static constexpr std::size_t kBytesMax = 256 * core::kMiB;

  // Whole pages; more than kBytesMax cannot be read again, and CommitLog refuses it. `checksum_out` is what the next record names.
  std::vector<std::byte> encode(const core::StoreUuid& store, FileId file, std::uint64_t offset,
                                std::uint64_t& checksum_out) const;
};

struct DecodedRecord {
  LogRecord record;
  RecordPlace place;
  std::uint64_t bytes = 0;  // whole pages
};
// Decodes the record at the front of `bytes`, which were read from `offset` of `file`.
core::Result<DecodedRecord> decode_record(core::Bytes bytes, const core::StoreUuid& store, FileId file,
                                          std::uint64_t offset);

}  // namespace penstock::txn
