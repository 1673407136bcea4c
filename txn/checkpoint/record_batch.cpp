#include "txn/checkpoint/record_batch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/planted.hpp"

namespace penstock::txn {

using core::Planted;
using core::planted;

bool RecordRequest::may_use_reserve() const {
  if (commit) return true;
  if (item) {
    return std::holds_alternative<SnapshotItem>(*item) ||  // it frees older logs
           std::holds_alternative<AbortedItem>(*item);
  }
  return statement && (std::holds_alternative<DropTableStatement>(*statement) ||
                       std::holds_alternative<DropDatabaseStatement>(*statement) ||
                       std::holds_alternative<TruncateTableStatement>(*statement));
}

std::uint64_t RecordRequest::record_bytes() const {
  constexpr std::uint64_t kSmall = 256;
  if (statement) return change_bytes_max(*statement);
  if (commit) return sizeof(TxnId);
  if (!vote) return kSmall;  // the longest of them is an abort with its reason
  std::uint64_t bytes = kSmall;
  const auto add = [&](const LoadInfo& load) { bytes += LoadInfo::kEncodedBytesMin + load.label.size(); };
  for (const LoadInfo& load : vote->loads) add(load);
  for (const Vote::Prepared& prepared : vote->prepared) {
    add(prepared.load);
    bytes += 16 + prepared.footers.size() * FooterRef::kEncodedBytes;
  }
  // With its bytes: a Boot record that repeats this one holds them, too.
  if (vote->in_flight) bytes += 2 * Extent::kEncodedBytes + 8 + vote->in_flight->length;
  return bytes + vote->footers.size() * FooterRef::kEncodedBytes;
}

void RecordBatch::take(std::deque<RecordRequest*>& waiting, std::size_t requests_max, const CommitLog& log) {
  constexpr std::uint64_t kFixed =
      LogRecord::kHeaderBytes + 128;  // and of the items that belong to no request alone
  std::uint64_t bytes = kFixed;
  bool has_ends = false;
  bool has_others = false;
  std::deque<RecordRequest*> left;
  while (!waiting.empty() && requests.size() < requests_max) {
    RecordRequest* const next = waiting.front();
    const std::uint64_t with_it = bytes + next->record_bytes();
    if (!requests.empty() && with_it > log.record_bytes_max()) break;
    waiting.pop_front();
    const bool is_end = next->may_use_reserve();
    const bool is_mixed = (has_ends || is_end) && (has_others || !is_end);
    if (is_mixed && !requests.empty() && !log.has_room(with_it)) {
      left.push_back(next);
      continue;
    }
    bytes = with_it;
    has_ends |= is_end;
    has_others |= !is_end;
    requests.push_back(next);
  }
  may_use_reserve = !has_others;
  waiting.insert(waiting.begin(), left.begin(), left.end());
}

// Turns requests into the items of one record.
void RecordBatch::build(const Manifest& manifest, std::uint64_t running_seconds) {
  CheckpointItem checkpoint;
  InFlightItem in_flight;
  FooterBlocks checkpoint_blocks;
  bool has_checkpoint = false;
  std::vector<RecordRequest*> commits;
  std::shared_ptr<const Catalog> catalog = manifest.catalog();
  // What is prepared from here on is that old when the record is read again.
  const bool prepares = std::ranges::any_of(requests, [](const RecordRequest* request) {
    return request->vote && !request->vote->prepared.empty();
  });
  if (prepares) items.emplace_back(TimeItem{running_seconds});
  for (RecordRequest* request : requests) {
    if (request->item) {
      items.push_back(*request->item);
    } else if (request->commit) {
      commits.push_back(request);
    } else if (request->statement) {
      auto change = plan_change(*catalog, *request->statement, request->database);
      if (!change) {
        request->error = change.error().message;
        continue;
      }
      if (!*change) continue;  // IF [NOT] EXISTS: nothing to do
      auto next = catalog->apply(**change);
      if (!next) {
        request->error = next.error().to_string();
        continue;
      }
      catalog = *next;
      items.emplace_back(DdlItem{std::move(**change)});
    } else if (request->vote) {
      Vote& vote = *request->vote;
      if (planted(Planted::DropVote) && vote.footers.size() > 1) {
        vote.footers.pop_back();
        vote.blocks.pop_back();
      }
      if (vote.in_flight && !vote.landed->is_set()) {  // of a shard one piece at most
        in_flight.pieces.push_back(*vote.in_flight);
        landing.push_back(vote.landed);
      }
      has_checkpoint |= !vote.loads.empty();
      std::move(vote.loads.begin(), vote.loads.end(), std::back_inserter(checkpoint.loads));
      std::move(vote.footers.begin(), vote.footers.end(), std::back_inserter(checkpoint.footers));
      std::move(vote.blocks.begin(), vote.blocks.end(), std::back_inserter(checkpoint_blocks));
      for (Vote::Prepared& prepared : vote.prepared) {
        blocks[items.size()] = std::move(prepared.blocks);
        items.emplace_back(PreparedItem{std::move(prepared.load), std::move(prepared.footers)});
      }
    }
  }
  for (RecordRequest* request :
       commits) {  // a DROP DATABASE before them, or in this record, takes the load with it
    const auto prepared = manifest.prepared().find(*request->commit);
    if (prepared == manifest.prepared().end() ||
        catalog->find_database(prepared->second.load.database) == nullptr) {
      request->error = fmt::format("transaction [{}] not found: its database was dropped", *request->commit);
      continue;
    }
    has_checkpoint = true;
    checkpoint.prepared.push_back(*request->commit);
  }
  if (has_checkpoint) {
    checkpoint.number = CheckpointNumber(manifest.checkpoint().value + 1);
    checkpoint.running_seconds = running_seconds;
    blocks[items.size()] = std::move(checkpoint_blocks);
    items.emplace_back(std::move(checkpoint));
  }
  if (!in_flight.pieces.empty()) items.emplace_back(std::move(in_flight));
}

}  // namespace penstock::txn
