// RecordBatch: the requests that share one commit record, and the items they become.
//
// Votes, commits, aborts and statements that wait together go into one record, in the order they came. Where the record may
// need the disk space that is kept aside for ends, only those that end or free something go together: a vote never rides on
// a commit into the reserve.
//
// Journey:  Coordinator::run_loop -> [RecordBatch] -> CommitLog::append, Manifest::apply.
// Shard:    shard 0.
// Promise:  take() leaves what it does not take in order; build() changes nothing but the requests and itself.
// Failure:  a request that cannot be a part of any record gets its error and no item.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/task/sync.hpp"
#include "txn/checkpoint/commit_log.hpp"
#include "txn/checkpoint/manifest.hpp"
#include "txn/schema/plan.hpp"

namespace penstock::txn {

// What a shard says when the blocks and footers of these loads are durable, or are being made so.
struct Vote {
  core::ShardId shard;
  std::vector<LoadInfo> loads;     // plain ones: visible with the next record
  std::vector<FooterRef> footers;  // theirs
  FooterBlocks blocks;             // the footers' blocks, so that nobody reads them back
  struct Prepared {
    LoadInfo load;
    std::vector<FooterRef> footers;
    FooterBlocks blocks;
  };
  std::vector<Prepared> prepared;  // two-phase ones: PRECOMMITTED with the next record
  // A piece of the shard's journal with rows of these loads that is being written at the same time. The event is shard 0's: set
  // when the piece is durable.
  std::optional<Extent> in_flight;
  std::shared_ptr<core::Event> landed;
};

// What waits for a record. Lives in the frame of whoever waits.
struct RecordRequest {
  std::optional<Vote> vote;
  std::optional<Statement> statement;
  std::string database;
  std::optional<LogItem> item;  // a snapshot, a TxnId range, the time, or an abort
  std::optional<TxnId> commit;  // of a prepared load
  // Filled in when it is decided:
  std::string error;
  core::Result<> log_result{};
  core::Event answered;

  bool is_abort() const { return item && std::holds_alternative<AbortedItem>(*item); }
  bool may_use_reserve() const;        // it ends or frees something
  std::uint64_t record_bytes() const;  // about what it takes of a record; at least
};

struct RecordBatch {
  std::vector<RecordRequest*> requests;
  std::vector<LogItem> items;
  std::map<std::size_t, FooterBlocks> blocks;         // by item
  std::vector<std::shared_ptr<core::Event>> landing;  // rows that are in flight beside the record
  bool may_use_reserve = false;

  void take(std::deque<RecordRequest*>& waiting, std::size_t requests_max, const CommitLog& log);
  void build(const Manifest& manifest, std::uint64_t running_seconds);
};

}  // namespace penstock::txn
