// LabelPage: 4 KiB of a label run, and the entries in it. Layout in docs/formats/label_run.md.
//
// A run is made of such pages and nothing else, each with a checksum of its own that is bound to its place, so that a
// look-up reads one page and trusts it.
//
// Journey:  LabelRunWriter -> [LabelPageBuilder] -> file -> [LabelEntryReader, TxnEntryReader] -> LabelRun, LabelCursor.
// Shard:    any; values.
// Promise:  a page that open_label_page accepts is one that was sealed for this store, file and offset.
// Failure:  Errc::Corrupt.
#pragma once

#include <array>
#include <compare>
#include <string_view>

#include "core/base/checksum.hpp"
#include "core/base/result.hpp"
#include "txn/checkpoint/transaction.hpp"
#include "txn/journal/file_name.hpp"

namespace penstock::txn {

// Where the entries of the label part are sorted: by the hash of (database, label), then by both.
std::uint64_t label_hash(DatabaseId database, std::string_view label);

struct LabelEntry {
  std::uint64_t hash = 0;
  DatabaseId database;
  std::string_view label;
  TxnId txn;
  std::uint64_t finished_at = 0;  // running seconds

  friend std::strong_ordering order(const LabelEntry& a, const LabelEntry& b) {
    if (a.hash != b.hash) return a.hash <=> b.hash;
    if (a.database != b.database) return a.database <=> b.database;
    return a.label <=> b.label;
  }
};

struct TxnEntry {
  TxnId txn;
  DatabaseId database;
  std::uint64_t finished_at = 0;
};

struct LabelPage {
  static constexpr std::size_t kHeaderBytes = 8 + 2;  // checksum, count of entries
  static constexpr std::size_t kWords =
      (core::kPage - 8) / 8;  // of a page of numbers: no count, numbers only
};

// Of the bytes behind the checksum.
void seal_label_page(std::span<std::byte> page, const core::StoreUuid& store, FileId file,
                     std::uint64_t offset);
core::Result<> open_label_page(core::Bytes page, const core::StoreUuid& store, FileId file,
                               std::uint64_t offset);

// A page of entries that is being filled.
class LabelPageBuilder {
 public:
  LabelPageBuilder() { clear(); }
  // False: it is full, and nothing was put in.
  bool add(const LabelEntry& entry);
  bool add(const TxnEntry& entry);
  bool is_empty() const { return count_ == 0; }
  // The page with its count and zeros to its end, to be sealed; valid until clear().
  std::span<std::byte> page();
  void clear();

 private:
  bool put(const std::array<std::byte, 256>& entry, std::size_t bytes);

  std::array<std::byte, core::kPage> page_{};
  std::size_t at_ = 0;
  std::uint16_t count_ = 0;
};

// The entries of a page that was opened, in order. The labels point into the page.
class LabelEntryReader {
 public:
  explicit LabelEntryReader(core::Bytes page);
  // False: there are no more, or what follows makes no sense; then is_good() is false.
  bool next(LabelEntry& entry);
  bool is_good() const { return in_.ok(); }

 private:
  core::ByteReader in_;
  std::uint16_t left_ = 0;
};

class TxnEntryReader {
 public:
  explicit TxnEntryReader(core::Bytes page);
  bool next(TxnEntry& entry);
  bool is_good() const { return in_.ok(); }

 private:
  core::ByteReader in_;
  std::uint16_t left_ = 0;
};

}  // namespace penstock::txn
