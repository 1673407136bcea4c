#include "txn/store/precommitter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/planted.hpp"
#include "txn/journal/footer.hpp"
#include "txn/store/store_shard.hpp"

namespace penstock::txn {

using core::Planted;
using core::planted;

// Loads that share one footer: all plain ones of a schema, or one two-phase load.
struct Precommitter::Group {
  std::vector<EndedLoad*> loads;
  std::vector<BlockRef> blocks;
  std::vector<FileId> pins;
  FooterRef footer;
  bool has_footer = false;
  bool is_two_phase = false;
  std::string error;
};

struct Precommitter::Batch {
  std::vector<Group> groups;
  std::optional<Extent> in_flight;  // what is synced beside the vote, not before it
  std::shared_ptr<core::Event> landed;
};

core::Task<VoteResult> Precommitter::precommit(EndedLoad& load) {
  waiting_.push_back(&load);
  work_.notify_all();
  co_await load.decided.wait();
  co_return std::move(load.result);
}

void Precommitter::stop() {
  stopping_ = true;
  work_.notify_all();
}

core::Task<void> Precommitter::run() {
  while (!stopping_ || !waiting_.empty()) {
    if (waiting_.empty()) {
      co_await work_.wait();
      // What has come already and is not read yet joins: a turn costs a microsecond or two, a batch of its own two syncs.
      co_await shard_.shard().yield();
      continue;
    }
    auto batch = std::make_shared<Batch>();
    std::map<SchemaId, std::size_t> plain;  // schema -> group
    for (std::size_t n = 0; n < loads_per_vote_max_ && !waiting_.empty(); ++n) {
      EndedLoad* const load = waiting_.front();
      waiting_.pop_front();
      const SchemaId schema = load->load.table->schema->id;
      if (load->load.two_phase) {
        const auto alike = plain.find(schema);
        if (planted(Planted::ShareBlockAcrossFates) && alike != plain.end() && load->rest != nullptr) {
          EndedLoad& other = *batch->groups[alike->second].loads.back();
          if (other.rest != nullptr) other.rest->append_all(*std::exchange(load->rest, nullptr));
        }
        batch->groups.push_back(Group{.loads = {load}, .is_two_phase = true});
        continue;
      }
      if (!load->elsewhere.empty()) {  // what may befall files of other shards is its own business
        batch->groups.push_back(Group{.loads = {load}});
        continue;
      }
      const auto [at, is_new] = plain.emplace(schema, batch->groups.size());
      if (is_new) batch->groups.emplace_back();
      batch->groups[at->second].loads.push_back(load);
      if (shard_.shard().perhaps(core::Perhaps::VoteIsFull)) break;
    }
    co_await write(*batch);
    if (batch->in_flight) batch->landed = std::make_shared<core::Event>();
    shard_.shard().spawn(vote(batch));
    if (batch->in_flight) co_await land(std::move(batch));
  }
}

// The files of a shard that others' loads have rows in: synced, and looked at.
struct Precommitter::Elsewhere {
  StoreShard* shard = nullptr;
  std::vector<FileId> files;
  std::vector<FileId> broken;
};

core::Task<void> Precommitter::sync_there(Elsewhere* where) {
  JournalWriter& journal = where->shard->journal(Lane::Bulk);
  if (!planted(Planted::SkipHelperSync)) co_await journal.sync();
  for (const FileId file : where->files) {
    if (journal.is_broken(file)) where->broken.push_back(file);
  }
}

core::Task<void> Precommitter::sync_elsewhere(Elsewhere* where, core::Countdown* countdown) {
  co_await core::call_on(where->shard->shard().id(), [where] { return sync_there(where); });
  countdown->one_done();
}

// One entry a shard.
std::deque<Precommitter::Elsewhere> Precommitter::files_elsewhere(const Batch& batch) {
  std::deque<Elsewhere> all;
  for (const Group& group : batch.groups) {
    for (const EndedLoad* load : group.loads) {
      for (const FilesElsewhere& where : load->elsewhere) {
        auto found = std::ranges::find(all, where.shard, &Elsewhere::shard);
        if (found == all.end()) found = all.insert(all.end(), Elsewhere{.shard = where.shard});
        found->files.insert(found->files.end(), where.files.begin(), where.files.end());
      }
    }
  }
  return all;
}

// Everything of the batch is durable after, or its group has an error, or it is in flight.
core::Task<void> Precommitter::write(Batch& batch) {
  ++stats_.batches;
  std::deque<Elsewhere> elsewhere = files_elsewhere(batch);
  core::Countdown synced_elsewhere(elsewhere.size());
  for (Elsewhere& where : elsewhere) shard_.shard().spawn(sync_elsewhere(&where, &synced_elsewhere));
  for (Group& group : batch.groups) {
    stats_.loads += group.loads.size();
    const auto written = group.is_two_phase ? co_await write_two_phase(group) : co_await write_plain(group);
    if (!written) group.error = written.error();
  }
  // Loads append to the journal of their lane while they arrive, to that of small ones nobody but this does: there it is known
  // what the next sync writes.
  if (lane_ == Lane::Small) batch.in_flight = shard_.journal(lane_).piece_in_place();
  if (!batch.in_flight) co_await shard_.journal(lane_).sync();
  co_await synced_elsewhere.wait();
  for (Group& group : batch.groups) {
    const auto broken = [&](FileId file) { return shard_.journal_of(file).is_broken(file); };
    const auto is_broken_there = [&](const FilesElsewhere& where) {
      const Elsewhere& synced = *std::ranges::find(elsewhere, where.shard, &Elsewhere::shard);
      return std::ranges::find_first_of(where.files, synced.broken) != where.files.end();
    };
    bool is_bad = std::any_of(group.pins.begin(), group.pins.end(), broken);
    for (const EndedLoad* load : group.loads) {
      is_bad |= std::any_of(load->pins.begin(), load->pins.end(), broken) ||
                std::ranges::any_of(load->elsewhere, is_broken_there);
    }
    if (is_bad && group.error.empty()) {
      group.error =
          "writing the journal failed (the server's log has the disk's error): nothing of this load is "
          "visible; load it again";
    }
  }
}

namespace {
core::Task<void> set_there(std::shared_ptr<core::Event> landed) {
  landed->set();
  co_return;
}
core::Task<void> send_landed(std::shared_ptr<core::Event> landed) {
  co_await core::call_on(core::ShardId(0), [landed] { return set_there(landed); });
}
}  // namespace

// Beside the vote: the loads' record may be written already, so what fails now cannot fail them any more.
core::Task<void> Precommitter::land(std::shared_ptr<Batch> batch) {
  JournalWriter& journal = shard_.journal(lane_);
  co_await journal.sync();
  if (journal.is_broken(batch->in_flight->file)) {
    co_await shard_.poison().end("a write of rows beside their commit record",
                                 core::fail(core::Errc::NoSpace, "writing a journal file").error());
  }
  shard_.shard().spawn(send_landed(batch->landed));
}

// One block for all the rows that did not fill one (more if they do together), and one footer for the group.
core::Task<std::expected<void, std::string>> Precommitter::write_plain(Group& group) {
  // Loads that lost rows already fail alone, not with the group.
  std::vector<EndedLoad*> whole;
  for (EndedLoad* load : group.loads) {
    const bool lost = std::any_of(load->pins.begin(), load->pins.end(),
                                  [&](FileId file) { return shard_.journal_of(file).is_broken(file); });
    if (!lost) {
      whole.push_back(load);
      continue;
    }
    co_await shard_.abort(load->load.txn, "journal write failed");
    answer(*load, std::unexpected("writing the journal failed while the load arrived: load it again"));
  }
  group.loads = std::move(whole);
  std::unique_ptr<BlockBuilder> shared;
  const std::shared_ptr<const Table> table = group.loads.empty() ? nullptr : group.loads.front()->load.table;
  std::uint64_t txn_of_footer = group.loads.size() == 1 ? group.loads.front()->load.txn.value : 0;
  for (EndedLoad* load : group.loads) {
    group.blocks.insert(group.blocks.end(), load->blocks.begin(), load->blocks.end());
    if (load->rest == nullptr || load->rest->rows() == 0) continue;
    // A load of several blocks keeps its order by ending in a block of its own.
    if (!load->blocks.empty()) {
      auto block = co_await shard_.write_block(lane_, *table, *load->rest, group.pins);
      if (!block) co_return std::unexpected(block.error());
      group.blocks.push_back(*block);
      continue;
    }
    if (shared == nullptr) {
      shared = std::move(load->rest);
      continue;
    }
    shared->append_all(*load->rest);
    load->rest.reset();
    if (shared->is_full(shard_.limits().block) || shard_.shard().perhaps(core::Perhaps::SharedBlockIsFull)) {
      auto block = co_await shard_.write_block(lane_, *table, *shared, group.pins);
      if (!block) co_return std::unexpected(block.error());
      group.blocks.push_back(*block);
      shared.reset();
    }
  }
  if (shared != nullptr) {
    ++stats_.shared_blocks;
    auto block = co_await shard_.write_block(lane_, *table, *shared, group.pins);
    if (!block) co_return std::unexpected(block.error());
    group.blocks.push_back(*block);
  }
  if (group.blocks.empty()) co_return std::expected<void, std::string>{};
  auto footer =
      co_await shard_.write_footer(lane_, Footer{table->id, txn_of_footer, group.blocks}, group.pins);
  if (!footer) co_return std::unexpected(footer.error());
  group.footer = *footer;
  group.has_footer = true;
  co_return std::expected<void, std::string>{};
}

core::Task<std::expected<void, std::string>> Precommitter::write_two_phase(Group& group) {
  EndedLoad& load = *group.loads.front();
  const Table& table = *load.load.table;
  group.blocks = load.blocks;
  if (load.rest != nullptr && load.rest->rows() > 0) {
    auto block = co_await shard_.write_block(lane_, table, *load.rest, group.pins);
    if (!block) co_return std::unexpected(block.error());
    group.blocks.push_back(*block);
  }
  if (group.blocks.empty()) co_return std::expected<void, std::string>{};
  auto footer =
      co_await shard_.write_footer(lane_, Footer{table.id, load.load.txn.value, group.blocks}, group.pins);
  if (!footer) co_return std::unexpected(footer.error());
  group.footer = *footer;
  group.has_footer = true;
  co_return std::expected<void, std::string>{};
}

core::Task<void> Precommitter::vote(std::shared_ptr<Batch> batch) {
  Vote vote;
  vote.shard = shard_.shard().id();
  vote.in_flight = batch->in_flight;
  vote.landed = batch->landed;
  for (Group& group : batch->groups) {
    if (!group.error.empty()) {
      for (EndedLoad* load : group.loads) co_await shard_.abort(load->load.txn, group.error);
      continue;
    }
    std::vector<FooterRef> footers;
    FooterBlocks blocks;
    if (group.has_footer) {
      footers.push_back(group.footer);
      blocks.push_back(group.blocks);
    }
    for (const EndedLoad* load : group.loads) {
      const LoadInfo info{.txn = load->load.txn,
                          .database = load->load.database,
                          .table = load->load.table->id,
                          .label = load->load.label,
                          .label_kept = load->load.label_kept,
                          .rows = load->rows};
      if (group.is_two_phase) {
        vote.prepared.push_back(Vote::Prepared{info, footers, blocks});
      } else {
        vote.loads.push_back(info);
      }
    }
    if (!group.is_two_phase) {
      std::move(footers.begin(), footers.end(), std::back_inserter(vote.footers));
      std::move(blocks.begin(), blocks.end(), std::back_inserter(vote.blocks));
    }
  }
  VoteResult result{};
  if (!vote.loads.empty() || !vote.prepared.empty()) result = co_await shard_.vote(std::move(vote));
  for (Group& group : batch->groups) {
    for (EndedLoad* load : group.loads) {
      answer(*load, group.error.empty() ? result : VoteResult(std::unexpected(group.error)));
    }
    for (const FileId file : group.pins) shard_.journal_of(file).unpin(file);
  }
}

void Precommitter::answer(EndedLoad& load, VoteResult result) {
  load.result = std::move(result);
  load.decided.set();
}

}  // namespace penstock::txn
