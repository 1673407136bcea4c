// StoreLimits: every bound of the store in one place. Tests shrink them all so that every edge is met.
//
// Journey:  config -> [StoreLimits] -> Store.
// Shard:    any; a value.
// Promise:  per shard unless it says otherwise.
// Failure:  none.
#pragma once

#include "txn/checkpoint/coordinator.hpp"
#include "txn/column/block_builder.hpp"
#include "txn/decode/row_rejects.hpp"
#include "txn/journal/journal_writer.hpp"

namespace penstock::txn {

struct StoreLimits {
  BlockLimits block;
  std::size_t row_bytes_max = 16 * core::kMiB;
  RowRejects::Limits rejects;
  std::size_t load_memory_max = 64 * core::kMiB;      // builders and unfinished rows of all open loads
  std::size_t inflate_memory_max = 256 * core::kMiB;  // windows of all compressed bodies
  std::size_t split_segments = 4;  // of one load, under way to each other shard; 0: no load is split
  std::size_t write_buffers = 4;
  std::size_t write_buffer_bytes = core::kMiB;
  std::size_t loads_per_vote_max = 1024;
  JournalWriter::Limits journal;
  CommitLog::Limits log;            // of the store
  Coordinator::Limits coordinator;  // of the store
};

}  // namespace penstock::txn
