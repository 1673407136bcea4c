// SimFile: the bytes of one simulated file, twice: what every reader sees (the page cache) and what a power
// loss leaves.
//
// Both are tables of immutable, counted 4 KiB pages, so a page that is the same in both, or in a copy of the
// whole disk, exists once; a page of zeros costs nothing. Between the two lies the ordered list of changes
// that no sync has covered: one entry for each page of each write, and one for each change of the size. Every
// change carries its place in the disk's history, and a sync covers the places before the one at which it was
// submitted.
//
// The model is the harsh reading of POSIX: the size is durable only with a sync of this file; pages and sizes
// survive independently; a page is written back as a whole (what the cache shows of it), torn only at
// 512-byte sectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/base/bytes.hpp"
#include "tests/sim/sim_random.hpp"

namespace penstock::sim {

// What a power loss does to the changes of file contents that no sync has covered.
enum class UnsyncedPolicy : std::uint8_t {
  KeepAll,  // everything had reached the device
  DropAll,  // nothing had
  Random,   // each page diced: kept, dropped, torn or garbage; each change of size kept or dropped
  TornAll,  // each page torn: some of its sectors are new, some old; sizes kept
  Garbage,  // each page has at least one sector of random bytes, the others new or old; sizes kept
};

struct SimPage;

// A counted reference to an immutable page. Null: a page of zeros that was never written.
class SimPageRef {
 public:
  SimPageRef() = default;
  SimPageRef(const SimPageRef& other);
  SimPageRef(SimPageRef&& other) noexcept : page_(std::exchange(other.page_, nullptr)) {}
  SimPageRef& operator=(SimPageRef other) noexcept {
    std::swap(page_, other.page_);
    return *this;
  }
  ~SimPageRef();

  // A fresh page, its bytes undefined; write it before it is shared.
  static SimPageRef make();
  bool is_null() const { return page_ == nullptr; }
  const std::byte* read() const;  // 4096 bytes; zeros for null
  std::byte* fresh();             // for filling a page just made

 private:
  SimPage* page_ = nullptr;
};

// Sorted (page number, page); appending is the fast path.
class SimPageTable {
 public:
  const SimPageRef* find(std::uint64_t number) const;
  void set(std::uint64_t number, SimPageRef page);
  // The table of a file of `bytes` bytes: whole pages behind it go, the rest of the last one reads as zeros.
  void cut(std::uint64_t bytes);

 private:
  std::vector<std::pair<std::uint64_t, SimPageRef>> pages_;
};

// Which pages of a file take space on the disk: sorted, disjoint ranges.
class SimExtents {
 public:
  std::uint64_t missing(std::uint64_t first, std::uint64_t end) const;  // how many of them are not here
  void add(std::uint64_t first, std::uint64_t end);
  void cut(std::uint64_t end);
  std::uint64_t pages() const;

 private:
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges_;
};

class SimFile {
 public:
  // Newest bytes, as any process reads them.
  std::size_t read(std::uint64_t offset, std::span<std::byte> into) const;
  std::uint64_t size() const { return size_; }

  void write(std::uint64_t offset, core::Bytes bytes, std::uint64_t place);
  void set_size(std::uint64_t size, std::uint64_t place);
  SimExtents& extents() { return extents_; }
  const SimExtents& extents() const { return extents_; }

  // write(), and these bytes are durable, with a size that covers them. Older versions of these pages are overtaken;
  // every other change waits for its sync as before.
  void write_durably(std::uint64_t offset, core::Bytes bytes, std::uint64_t place, SimRandom& random);
  // What the write at `place` changed is forgotten by the device while the cache goes on showing it.
  void drop_write(std::uint64_t place);

  // Makes durable every change before `place`; later ones (concurrent with the sync) if the dice say so.
  void sync(std::uint64_t place, SimRandom& random);
  // The same changes are forgotten by the device while the cache goes on showing them: a failed fdatasync on
  // Linux.
  void drop_unsynced(std::uint64_t place);
  std::size_t unsynced() const { return pending_.size(); }

  void power_loss(UnsyncedPolicy policy, SimRandom& random);
  void flip_bit(std::uint64_t offset, unsigned bit);  // rot, in the cache and at rest

 private:
  struct Change {
    std::uint64_t place;
    std::uint64_t number;  // page number, or the new size
    SimPageRef page;
    std::uint8_t sectors;  // a bit for each sector the write touched; 0: a change of size
  };
  void make_durable(const Change& change);
  SimPageRef damaged(const Change& change, bool garbage, SimRandom& random) const;

  SimPageTable cache_;
  SimPageTable durable_;
  SimExtents extents_;
  std::vector<Change> pending_;
  std::uint64_t size_ = 0;
  std::uint64_t durable_size_ = 0;
};

}  // namespace penstock::sim
