#include "txn/checkpoint/manifest.hpp"

#include <algorithm>

#include "core/base/log.hpp"
#include "core/base/planted.hpp"

namespace penstock::txn {
namespace {
constexpr std::uint32_t kMagic = 0x4e535350;  // "PSSN"
constexpr std::uint32_t kVersion = 2;  // 1 had no ages of prepared loads, and every label instead of runs

std::vector<BlockRef> joined(const FooterBlocks& footers) {
  std::vector<BlockRef> all;
  for (const auto& blocks : footers) all.insert(all.end(), blocks.begin(), blocks.end());
  return all;
}
}  // namespace

core::Result<> Manifest::apply(const LogRecord& record,
                               const std::function<const FooterBlocks&(std::size_t)>& blocks_of,
                               VisibleChange& change) {
  for (std::size_t i = 0; i < record.items.size(); ++i) {
    const LogItem& item = record.items[i];
    if (const auto* range = std::get_if<TxnRangeItem>(&item)) {
      txn_range_end_ = std::max(txn_range_end_, range->end);
    } else if (const auto* prepared = std::get_if<PreparedItem>(&item)) {
      footers_.note(prepared->footers, record.sequence, prepared->load.txn, *catalog_, uses_);
      add_prepared(PreparedLoad{prepared->load, joined(blocks_of(i)), running_seconds_});
    } else if (const auto* aborted = std::get_if<AbortedItem>(&item)) {
      if (remove_prepared(aborted->txn)) footers_.forget_aborted(aborted->txn, uses_);
    } else if (const auto* time = std::get_if<TimeItem>(&item)) {
      running_seconds_ = std::max(running_seconds_, time->running_seconds);
    } else if (const auto* ddl = std::get_if<DdlItem>(&item)) {
      TRY_VOID(apply_ddl(ddl->change));
    } else if (const auto* checkpoint = std::get_if<CheckpointItem>(&item)) {
      if (checkpoint->number.value != checkpoint_.value + 1) {
        return core::fail(core::Errc::Corrupt, "commit record: checkpoint numbers do not follow each other");
      }
      footers_.note(checkpoint->footers, record.sequence, std::nullopt, *catalog_, uses_);
      checkpoint_ = checkpoint->number;
      running_seconds_ = std::max(running_seconds_, checkpoint->running_seconds);
      std::uint32_t position = 0;
      std::set<TableId> touched;
      for (const LoadInfo& load : checkpoint->loads) {
        const bool has_database =
            catalog_->find_database(load.database) != nullptr;  // its labels went with it
        if (load.label_kept && has_database) labels_.add(load, checkpoint->running_seconds);
        touched.insert(load.table);
      }
      show(joined(blocks_of(i)), position, change);
      for (const TxnId txn : checkpoint->prepared) {
        const auto found = prepared_.find(txn);
        if (found == prepared_.end()) {
          return core::fail(core::Errc::Corrupt, "commit record: commits a transaction that is not prepared");
        }
        labels_.add(found->second.load, checkpoint->running_seconds);
        touched.insert(found->second.load.table);
        show(found->second.blocks, position, change);
        remove_prepared(txn);
      }
      for (const TableId table : touched) {
        if (catalog_->find_table(table) != nullptr) ++tables_[table].version;
      }
    }
  }
  sequence_ = record.sequence;
  change.checkpoint = checkpoint_;
  change.catalog = catalog_;
  return {};
}

// Rows of a table that is gone will never be shown: their files need not live. With its database a load is gone whole:
// nobody can ask for it any more.
void Manifest::add_prepared(PreparedLoad load) {
  if (catalog_->find_database(load.load.database) == nullptr) return;
  if (catalog_->find_table(load.load.table) == nullptr) load.blocks.clear();
  remove_prepared(load.load.txn);  // (a log that names one twice is not ours)
  for (const BlockRef& block : load.blocks) uses_.add(block.extent.file, FileUses::By::Prepared);
  prepared_labels_.insert_or_assign({load.load.database, load.load.label}, load.load.txn);
  const TxnId txn = load.load.txn;
  prepared_.insert_or_assign(txn, std::move(load));
}

void Manifest::let_go_of_blocks(const PreparedLoad& load) {
  for (const BlockRef& block : load.blocks) uses_.drop(block.extent.file, FileUses::By::Prepared);
}

// False: no such load is prepared.
bool Manifest::remove_prepared(TxnId txn) {
  const auto found = prepared_.find(txn);
  if (found == prepared_.end()) return false;
  let_go_of_blocks(found->second);
  const auto label = prepared_labels_.find({found->second.load.database, found->second.load.label});
  if (label != prepared_labels_.end() && label->second == txn) prepared_labels_.erase(label);
  prepared_.erase(found);
  return true;
}

std::optional<TxnId> Manifest::find_prepared(DatabaseId database, const std::string& label) const {
  const auto found = prepared_labels_.find({database, label});
  if (found == prepared_labels_.end()) return std::nullopt;
  return found->second;
}

void Manifest::show(const std::vector<BlockRef>& blocks, std::uint32_t& position, VisibleChange& change) {
  for (const BlockRef& block : blocks) {
    if (catalog_->find_table(block.table) == nullptr) continue;  // dropped meanwhile: its rows are gone
    const VisibleBlock visible{block, checkpoint_, position++};
    TableState& table = tables_[block.table];
    table.rows += block.rows;
    table.blocks.push_back(visible);
    uses_.add(block.extent.file, FileUses::By::Visible);
    change.blocks.push_back(visible);
  }
}

core::Result<> Manifest::apply_ddl(const CatalogChange& change) {
  TRY(catalog_, catalog_->apply(change));
  std::erase_if(tables_, [&](const auto& entry) {
    if (catalog_->find_table(entry.first) != nullptr) return false;
    for (const VisibleBlock& block : entry.second.blocks)
      uses_.drop(block.block.extent.file, FileUses::By::Visible);
    return true;
  });
  if (const auto* drop = std::get_if<DropDatabase>(&change)) {
    labels_.forget_database(drop->id);
    std::erase_if(prepared_labels_, [&](const auto& entry) { return entry.first.first == drop->id; });
    std::erase_if(prepared_, [&](const auto& entry) {
      if (entry.second.load.database != drop->id) return false;
      let_go_of_blocks(entry.second);
      return true;
    });
  }
  if (std::holds_alternative<DropTable>(change) || std::holds_alternative<TruncateTable>(change)) {
    for (auto& [txn, prepared] : prepared_) {
      if (catalog_->find_table(prepared.load.table) != nullptr) continue;
      let_go_of_blocks(prepared);
      prepared.blocks = {};
    }
  }
  const bool drops = std::holds_alternative<DropDatabase>(change) ||
                     std::holds_alternative<DropTable>(change) ||
                     std::holds_alternative<TruncateTable>(change);
  if (drops) footers_.forget_dropped(*catalog_, uses_);
  return {};
}

std::uint64_t Manifest::version_of(TableId table) const {
  const auto found = tables_.find(table);
  return found == tables_.end() ? 0 : found->second.version;
}

std::uint64_t Manifest::rows_of(TableId table) const {
  const auto found = tables_.find(table);
  return found == tables_.end() ? 0 : found->second.rows;
}

std::vector<VisibleBlock> Manifest::all_blocks() const {
  std::vector<VisibleBlock> all;
  for (const auto& [id, table] : tables_) all.insert(all.end(), table.blocks.begin(), table.blocks.end());
  return all;
}

std::unordered_set<FileId> Manifest::walk_live_files() const {
  std::unordered_set<FileId> files;
  for (const auto& [id, table] : tables_) {
    for (const VisibleBlock& block : table.blocks) files.insert(block.block.extent.file);
  }
  for (const auto& [id, prepared] : prepared_) {
    for (const BlockRef& block : prepared.blocks) files.insert(block.extent.file);
  }
  for (const FileId file : footers_.files()) files.insert(file);
  return files;
}

void Manifest::encode(core::ByteWriter& out) const {
  out.put(kMagic);
  out.put(kVersion);
  out.put(sequence_);
  out.put(checkpoint_.value);
  out.put(txn_range_end_);
  out.put(running_seconds_);
  catalog_->encode(out);
  out.put(static_cast<std::uint32_t>(tables_.size()));
  for (const auto& [id, table] : tables_) {
    out.put(id.value);
    out.put(table.version);
    out.put(static_cast<std::uint32_t>(table.blocks.size()));
    for (const VisibleBlock& block : table.blocks) {
      block.block.encode(out);
      out.put(block.checkpoint.value);
      out.put(block.position);
    }
  }
  const bool forgets = core::planted(core::Planted::ForgetPrepared);
  out.put(forgets ? 0u : static_cast<std::uint32_t>(prepared_.size()));
  for (const auto& [id, prepared] : prepared_) {
    if (forgets) break;
    prepared.load.encode(out);
    out.put(prepared.prepared_at);
    out.put(static_cast<std::uint32_t>(prepared.blocks.size()));
    for (const BlockRef& block : prepared.blocks) block.encode(out);
  }
  labels_.encode(out);
}

core::Result<Manifest> Manifest::decode(core::Bytes bytes) {
  core::ByteReader in(bytes);
  if (in.get<std::uint32_t>() != kMagic) return core::fail(core::Errc::Corrupt, "snapshot: no magic");
  const auto version = in.get<std::uint32_t>();
  if (version > kVersion) return core::fail(core::Errc::Unsupported, "snapshot: a newer version");
  if (version == 0) return core::fail(core::Errc::Corrupt, "snapshot: no version");
  Manifest manifest;
  manifest.sequence_ = in.get<std::uint64_t>();
  manifest.checkpoint_.value = in.get<std::uint64_t>();
  manifest.txn_range_end_ = in.get<std::uint64_t>();
  manifest.running_seconds_ = in.get<std::uint64_t>();
  TRY(manifest.catalog_, Catalog::decode(in));
  const std::uint32_t tables = in.get_count(8 + 8 + 4);
  for (std::uint32_t i = 0; i < tables && in.ok(); ++i) {
    const TableId id{in.get<std::uint64_t>()};
    TableState& table = manifest.tables_[id];
    table.version = in.get<std::uint64_t>();
    const std::uint32_t blocks = in.get_count(BlockRef::kEncodedBytes + 12);
    table.blocks.reserve(blocks);
    for (std::uint32_t b = 0; b < blocks && in.ok(); ++b) {
      VisibleBlock block;
      block.block = BlockRef::decode(in);
      block.checkpoint.value = in.get<std::uint64_t>();
      block.position = in.get<std::uint32_t>();
      table.rows += block.block.rows;
      manifest.uses_.add(block.block.extent.file, FileUses::By::Visible);
      table.blocks.push_back(block);
    }
  }
  const std::uint32_t prepared = in.get_count(LoadInfo::kEncodedBytesMin + 4);
  for (std::uint32_t i = 0; i < prepared && in.ok(); ++i) {
    PreparedLoad load;
    load.load = LoadInfo::decode(in);
    load.prepared_at = manifest.running_seconds_;
    if (version >= 2) load.prepared_at = std::min(load.prepared_at, in.get<std::uint64_t>());
    load.blocks.resize(in.get_count(BlockRef::kEncodedBytes));
    for (BlockRef& block : load.blocks) block = BlockRef::decode(in);
    manifest.add_prepared(std::move(load));
  }
  manifest.labels_.decode(in, version >= 2);
  if (!in.ok() || in.remaining() != 0) return core::fail(core::Errc::Corrupt, "snapshot: it does not decode");
  return manifest;
}

}  // namespace penstock::txn
