#include "tests/sim/sim_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "core/base/check.hpp"

namespace penstock::sim {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kSectorBytes = 512;
constexpr std::array<std::byte, kPageBytes> kZeros{};

}  // namespace

struct SimPage {
  std::uint32_t references = 0;
  SimPage* next_free = nullptr;
  std::array<std::byte, kPageBytes> bytes;
};

namespace {

// Pages are kept for the next world: thousands of short worlds would otherwise spend their time in malloc.
struct PagePool {
  static constexpr std::size_t kChunk = 32;
  SimPage* free = nullptr;
  std::vector<std::unique_ptr<SimPage[]>> chunks;

  SimPage* take() {
    if (free == nullptr) {
      chunks.push_back(std::make_unique_for_overwrite<SimPage[]>(kChunk));
      for (std::size_t i = 0; i < kChunk; ++i) give(&chunks.back()[i]);
    }
    SimPage* const page = free;
    free = page->next_free;
    page->references = 1;
    return page;
  }
  void give(SimPage* page) {
    page->next_free = free;
    free = page;
  }
};

PagePool& pool() {
  static thread_local PagePool instance;
  return instance;
}

std::uint8_t sectors_between(std::size_t first_byte, std::size_t end_byte) {
  std::uint8_t mask = 0;
  for (std::size_t s = first_byte / kSectorBytes; s * kSectorBytes < end_byte; ++s) {
    mask |= static_cast<std::uint8_t>(1u << s);
  }
  return mask;
}

}  // namespace

SimPageRef::SimPageRef(const SimPageRef& other) : page_(other.page_) {
  if (page_ != nullptr) ++page_->references;
}

SimPageRef::~SimPageRef() {
  if (page_ != nullptr && --page_->references == 0) pool().give(page_);
}

SimPageRef SimPageRef::make() {
  SimPageRef ref;
  ref.page_ = pool().take();
  return ref;
}

const std::byte* SimPageRef::read() const { return page_ == nullptr ? kZeros.data() : page_->bytes.data(); }

std::byte* SimPageRef::fresh() {
  CHECK(page_ != nullptr && page_->references == 1);
  return page_->bytes.data();
}

const SimPageRef* SimPageTable::find(std::uint64_t number) const {
  const auto at = std::ranges::lower_bound(pages_, number, {}, &std::pair<std::uint64_t, SimPageRef>::first);
  return at == pages_.end() || at->first != number ? nullptr : &at->second;
}

void SimPageTable::set(std::uint64_t number, SimPageRef page) {
  if (pages_.empty() || pages_.back().first < number) {
    if (!page.is_null()) pages_.emplace_back(number, std::move(page));
    return;
  }
  const auto at = std::ranges::lower_bound(pages_, number, {}, &std::pair<std::uint64_t, SimPageRef>::first);
  if (at != pages_.end() && at->first == number) {
    at->second = std::move(page);
  } else if (!page.is_null()) {
    pages_.emplace(at, number, std::move(page));
  }
}

void SimPageTable::cut(std::uint64_t bytes) {
  const std::uint64_t whole = bytes / kPageBytes;
  const std::size_t rest = bytes % kPageBytes;
  while (!pages_.empty() && pages_.back().first * kPageBytes >= bytes) pages_.pop_back();
  if (rest == 0 || pages_.empty() || pages_.back().first != whole || pages_.back().second.is_null()) return;
  SimPageRef cut_page = SimPageRef::make();
  std::byte* const to = cut_page.fresh();
  std::memcpy(to, pages_.back().second.read(), rest);
  std::memset(to + rest, 0, kPageBytes - rest);
  pages_.back().second = std::move(cut_page);
}

std::uint64_t SimExtents::missing(std::uint64_t first, std::uint64_t end) const {
  std::uint64_t here = 0;
  for (const auto& [from, to] : ranges_) {
    const std::uint64_t low = std::max(from, first);
    const std::uint64_t high = std::min(to, end);
    if (low < high) here += high - low;
  }
  return end - first - here;
}

void SimExtents::add(std::uint64_t first, std::uint64_t end) {
  if (first >= end) return;
  auto at = ranges_.begin();
  while (at != ranges_.end() && at->second < first) ++at;
  while (at != ranges_.end() && at->first <= end) {  // touches or overlaps: becomes one
    first = std::min(first, at->first);
    end = std::max(end, at->second);
    at = ranges_.erase(at);
  }
  ranges_.insert(at, {first, end});
}

void SimExtents::cut(std::uint64_t end) {
  while (!ranges_.empty() && ranges_.back().first >= end) ranges_.pop_back();
  if (!ranges_.empty()) ranges_.back().second = std::min(ranges_.back().second, end);
}

std::uint64_t SimExtents::pages() const {
  std::uint64_t sum = 0;
  for (const auto& [from, to] : ranges_) sum += to - from;
  return sum;
}

std::size_t SimFile::read(std::uint64_t offset, std::span<std::byte> into) const {
  if (offset >= size_) return 0;
  const std::size_t length = std::min<std::uint64_t>(into.size(), size_ - offset);
  for (std::size_t done = 0; done < length;) {
    const std::size_t in_page = (offset + done) % kPageBytes;
    const std::size_t part = std::min(kPageBytes - in_page, length - done);
    const SimPageRef* const page = cache_.find((offset + done) / kPageBytes);
    std::memcpy(into.data() + done, (page == nullptr ? kZeros.data() : page->read()) + in_page, part);
    done += part;
  }
  return length;
}

void SimFile::write(std::uint64_t offset, core::Bytes bytes, std::uint64_t place) {
  for (std::size_t done = 0; done < bytes.size();) {
    const std::uint64_t number = (offset + done) / kPageBytes;
    const std::size_t in_page = (offset + done) % kPageBytes;
    const std::size_t part = std::min(kPageBytes - in_page, bytes.size() - done);
    SimPageRef page;
    if (part < kPageBytes || std::memcmp(bytes.data() + done, kZeros.data(), kPageBytes) != 0) {
      page = SimPageRef::make();
      if (part < kPageBytes) {
        const SimPageRef* const old = cache_.find(number);
        std::memcpy(page.fresh(), old == nullptr ? kZeros.data() : old->read(), kPageBytes);
      }
      std::memcpy(page.fresh() + in_page, bytes.data() + done, part);
    }
    pending_.push_back({place, number, page, sectors_between(in_page, in_page + part)});
    cache_.set(number, std::move(page));
    done += part;
  }
  if (offset + bytes.size() > size_) set_size(offset + bytes.size(), place);
}

void SimFile::set_size(std::uint64_t size, std::uint64_t place) {
  if (size == size_) return;
  if (size < size_) {
    cache_.cut(size);
    extents_.cut((size + kPageBytes - 1) / kPageBytes);
  }
  size_ = size;
  pending_.push_back({place, size, {}, 0});
}

void SimFile::make_durable(const Change& change) {
  if (change.sectors != 0) {
    durable_.set(change.number, change.page);
    return;
  }
  if (change.number < durable_size_) durable_.cut(change.number);
  durable_size_ = change.number;
}

void SimFile::sync(std::uint64_t place, SimRandom& random) {
  // In order, so that an older version of a page never follows a newer one.
  std::size_t covered = 0;
  while (covered < pending_.size() && (pending_[covered].place < place || random.coin())) {
    make_durable(pending_[covered++]);
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(covered));
}

void SimFile::write_durably(std::uint64_t offset, core::Bytes bytes, std::uint64_t place, SimRandom& random) {
  // A cut that no sync has covered could come behind these bytes and take them away again. Nobody writes so; here the
  // whole file is synced then.
  const auto is_cut = [size = durable_size_](const Change& change) mutable {
    return change.sectors == 0 && change.number < std::exchange(size, change.number);
  };
  if (std::ranges::any_of(pending_, is_cut)) sync(UINT64_MAX, random);
  write(offset, bytes, place);
  const std::uint64_t end = offset + bytes.size();
  for (const Change& change : pending_) {
    if (change.place == place && change.sectors != 0) durable_.set(change.number, change.page);
  }
  std::erase_if(pending_, [&](const Change& change) {
    return change.sectors == 0 ? change.number <= end
                               : change.number >= offset / kPageBytes && change.number * kPageBytes < end;
  });
  durable_size_ = std::max(durable_size_, end);
}

void SimFile::drop_write(std::uint64_t place) {
  std::erase_if(pending_, [&](const Change& change) { return change.sectors != 0 && change.place == place; });
}

void SimFile::drop_unsynced(std::uint64_t place) {
  // The metadata is journalled apart from the data: the size still arrives with some later sync.
  std::erase_if(pending_, [&](const Change& change) { return change.sectors != 0 && change.place < place; });
}

SimPageRef SimFile::damaged(const Change& change, bool garbage, SimRandom& random) const {
  SimPageRef page = SimPageRef::make();
  const SimPageRef* const old = durable_.find(change.number);
  std::memcpy(page.fresh(), old == nullptr ? kZeros.data() : old->read(), kPageBytes);
  const std::uint64_t dice = random.next();
  std::uint8_t arrived = static_cast<std::uint8_t>(dice) & change.sectors;
  std::uint8_t spoilt = static_cast<std::uint8_t>(dice >> 8) & change.sectors;
  if (!garbage) {
    spoilt = 0;
    // Torn means torn: where there are several sectors, at least one is lost.
    if (arrived == change.sectors) arrived &= static_cast<std::uint8_t>(arrived - 1);
  } else if (spoilt == 0) {
    spoilt = change.sectors;
  }
  for (std::size_t s = 0; s < kPageBytes / kSectorBytes; ++s) {
    std::byte* const to = page.fresh() + s * kSectorBytes;
    if ((spoilt >> s & 1) != 0) {
      for (std::size_t i = 0; i < kSectorBytes; i += sizeof(std::uint64_t)) {
        const std::uint64_t word = random.next();
        std::memcpy(to + i, &word, sizeof word);
      }
    } else if ((arrived >> s & 1) != 0) {
      std::memcpy(to, change.page.read() + s * kSectorBytes, kSectorBytes);
    }
  }
  return page;
}

void SimFile::power_loss(UnsyncedPolicy policy, SimRandom& random) {
  enum class Fate { Kept, Dropped, Torn, Garbage };
  for (Change& change : pending_) {
    Fate fate = Fate::Kept;
    switch (policy) {
      case UnsyncedPolicy::KeepAll:
        break;
      case UnsyncedPolicy::DropAll:
        fate = Fate::Dropped;
        break;
      case UnsyncedPolicy::TornAll:
        fate = Fate::Torn;
        break;
      case UnsyncedPolicy::Garbage:
        fate = Fate::Garbage;
        break;
      case UnsyncedPolicy::Random: {
        const std::uint64_t dice = random.below(10);
        fate = dice < 4 ? Fate::Kept : dice < 7 ? Fate::Dropped : dice < 9 ? Fate::Torn : Fate::Garbage;
        break;
      }
    }
    if (change.sectors == 0 && policy != UnsyncedPolicy::DropAll) {
      fate = fate == Fate::Dropped ? Fate::Dropped : Fate::Kept;
    }
    if (fate == Fate::Dropped) continue;
    if (fate != Fate::Kept) change.page = damaged(change, fate == Fate::Garbage, random);
    make_durable(change);
  }
  pending_.clear();
  durable_.cut(durable_size_);
  cache_ = durable_;
  size_ = durable_size_;
  extents_.cut((size_ + kPageBytes - 1) / kPageBytes);
}

void SimFile::flip_bit(std::uint64_t offset, unsigned bit) {
  const std::uint64_t number = offset / kPageBytes;
  const auto flip = [&](SimPageTable& table) {
    const SimPageRef* const old = table.find(number);
    SimPageRef page = SimPageRef::make();
    std::memcpy(page.fresh(), old == nullptr ? kZeros.data() : old->read(), kPageBytes);
    page.fresh()[offset % kPageBytes] ^= static_cast<std::byte>(1u << (bit & 7));
    table.set(number, std::move(page));
  };
  flip(cache_);
  flip(durable_);
}

}  // namespace penstock::sim
