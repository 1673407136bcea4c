#include "txn/checkpoint/open_loads.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::txn {

namespace {
constexpr std::uint32_t kNearMore =
    4;  // small loads that a connection's shard may have more than the least busy one

std::uint32_t weight_of(const BeganLoad& load) { return load.is_small ? 1 : OpenLoads::kWeight; }
}  // namespace

core::ShardId OpenLoads::place(std::optional<core::ShardId> near) const {
  const auto least = std::min_element(per_shard_.begin(), per_shard_.end());
  if (near && per_shard_.at(near->value) <= *least + kNearMore) return *near;
  return core::ShardId(static_cast<std::uint32_t>(least - per_shard_.begin()));
}

std::shared_ptr<OpenLoads::Entry> OpenLoads::add(BeganLoad load) {
  auto entry = std::make_shared<Entry>();
  entry->load = std::move(load);
  per_shard_.at(entry->load.shard.value) += weight_of(entry->load);
  by_txn_.emplace(entry->load.txn, entry);
  by_label_.emplace(std::pair(entry->load.database, entry->load.label), entry);
  return entry;
}

std::shared_ptr<OpenLoads::Entry> OpenLoads::find(TxnId txn) const {
  const auto found = by_txn_.find(txn);
  return found == by_txn_.end() ? nullptr : found->second;
}

std::shared_ptr<OpenLoads::Entry> OpenLoads::find(DatabaseId database, const std::string& label) const {
  const auto found = by_label_.find(std::pair(database, label));
  return found == by_label_.end() ? nullptr : found->second;
}

void OpenLoads::remove(TxnId txn) {
  const auto found = by_txn_.find(txn);
  if (found == by_txn_.end()) return;
  const std::shared_ptr<Entry> entry = found->second;
  per_shard_.at(entry->load.shard.value) -= weight_of(entry->load);
  by_label_.erase(std::pair(entry->load.database, entry->load.label));
  by_txn_.erase(found);
  entry->decided.set();
}

std::string label_used_message(const std::string& label, TxnId txn) {
  return fmt::format("errCode = 2, detailMessage = Label [{}] has already been used, relate to txn [{}]",
                     label, txn.value);
}

bool is_valid_label(std::string_view label) {
  if (label.empty() || label.size() > kLabelBytesMax) return false;
  for (const char c : label) {
    const auto u = static_cast<unsigned char>(c);
    const bool ascii = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == ':';
    if (!ascii && u < 0x80) return false;  // letters beyond ASCII pass: clusters with unicode names use them
  }
  return true;
}

}  // namespace penstock::txn
