// LabelMemory: the outcomes since the newest label run, by label and by TxnId.
//
// Labels lie in buckets by the upper bits of their hash: the whole can be walked in the order of the hashes a bucket at a time,
// while others have their turns. Within a bucket they are in order too: clients choose their labels, and may choose them all for
// one bucket.
//
// Journey:  Manifest::apply -> LabelBook::add -> [LabelMemory] -> snapshots hold it; LabelBook::flush writes it as a run.
// Shard:    shard 0.
// Promise:  of two outcomes of one label the newer one counts; both stay answerable by TxnId.
// Failure:  none.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "txn/checkpoint/label_page.hpp"

namespace penstock::txn {

class LabelMemory {
 public:
  static constexpr std::size_t kBuckets = 4096;

  struct Kept {
    std::uint64_t hash = 0;
    DatabaseId database;
    mutable TxnId txn;  // not part of the order
    mutable std::uint64_t finished_at = 0;
    std::string label;

    LabelEntry view() const { return {hash, database, label, txn, finished_at}; }
  };
  struct Finished {
    DatabaseId database;
    std::uint64_t at = 0;  // running seconds
  };

  void add(DatabaseId database, std::string_view label, TxnId txn, std::uint64_t finished_at) {
    const std::uint64_t hash = label_hash(database, label);
    txns_.insert_or_assign(txn, Finished{database, finished_at});
    if (const Kept* const known = find(hash, database, label)) {
      known->txn = txn;
      known->finished_at = finished_at;
      return;
    }
    if (buckets_.empty()) buckets_.resize(kBuckets);
    buckets_[bucket_of(hash)].insert(Kept{hash, database, txn, finished_at, std::string(label)});
    ++labels_;
  }
  const Kept* find(std::uint64_t hash, DatabaseId database, std::string_view label) const {
    if (buckets_.empty()) return nullptr;
    const Bucket& bucket = buckets_[bucket_of(hash)];
    const auto found = bucket.find(LabelEntry{hash, database, label, {}, 0});
    return found == bucket.end() ? nullptr : &*found;
  }
  const Finished* find(TxnId txn) const {
    const auto found = txns_.find(txn);
    return found == txns_.end() ? nullptr : &found->second;
  }
  void forget_database(DatabaseId database) {
    for (auto& bucket : buckets_)
      labels_ -= std::erase_if(bucket, [&](const Kept& kept) { return kept.database == database; });
    std::erase_if(txns_, [&](const auto& entry) { return entry.second.database == database; });
  }

  std::size_t labels() const { return labels_; }
  std::size_t size() const { return txns_.size(); }
  const std::map<TxnId, Finished>& txns() const { return txns_; }
  // Bucket after bucket, each in its order, is the order of a run's label part.
  std::vector<const Kept*> sorted_bucket(std::size_t index) const {
    std::vector<const Kept*> sorted;
    if (buckets_.empty()) return sorted;
    for (const Kept& kept : buckets_[index]) sorted.push_back(&kept);
    return sorted;
  }
  // Gives memory back in small steps; false when there is none left.
  bool shrink() {
    constexpr std::size_t kBucketsEach = 64;
    constexpr std::size_t kTxnsEach = 512;
    for (std::size_t i = 0; i < kBucketsEach && !buckets_.empty(); ++i) buckets_.pop_back();
    for (std::size_t i = 0; i < kTxnsEach && !txns_.empty(); ++i) txns_.erase(txns_.begin());
    return !buckets_.empty() || !txns_.empty();
  }

 private:
  struct Before {
    using is_transparent = void;
    bool operator()(const Kept& a, const Kept& b) const { return order(a.view(), b.view()) < 0; }
    bool operator()(const Kept& a, const LabelEntry& b) const { return order(a.view(), b) < 0; }
    bool operator()(const LabelEntry& a, const Kept& b) const { return order(a, b.view()) < 0; }
  };
  using Bucket = std::set<Kept, Before>;

  static std::size_t bucket_of(std::uint64_t hash) { return hash >> 52; }
  std::vector<Bucket> buckets_;  // none, or kBuckets
  std::size_t labels_ = 0;
  std::map<TxnId, Finished> txns_;
};
static_assert(LabelMemory::kBuckets == std::size_t{1} << (64 - 52));

}  // namespace penstock::txn
