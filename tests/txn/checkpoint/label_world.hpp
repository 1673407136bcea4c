// A simulated disk for label runs, with one shard.
#pragma once

#include <gtest/gtest.h>

#include "core/base/log.hpp"
#include "tests/sim/sim_world.hpp"
#include "tests/txn/journal/golden_bytes.hpp"
#include "txn/checkpoint/label_book.hpp"

namespace penstock::txn {

class LabelWorld {
 public:
  explicit LabelWorld(std::uint64_t seed = 3)
      : world_(seed), poison_([this](const std::string& why) {
          poisoned_ = why;
          world_.scene().crash();
        }) {
    begin();
  }
  ~LabelWorld() { world_.kill_process(); }

  void begin() {
    world_.start_process(1);
    run(open_directory());
  }
  sim::SimWorld& world() { return world_; }
  sim::SimDisk& disk() { return world_.disk(); }
  core::Directory directory() { return directory_; }
  LabelPlace place() { return {world_.shard(0), directory_, poison_, sample_uuid()}; }
  FileId next_file() { return FileId::make(2, 0, counter_++); }
  const std::string& poisoned() const { return poisoned_; }

  sim::RunStatus run(core::Task<void> task) {
    bool done = false;
    world_.start(0, note_end(std::move(task), &done));
    return world_.run_until([&] { return done; }, 100'000'000);
  }

 private:
  static core::Task<void> note_end(core::Task<void> task, bool* done) {
    co_await std::move(task);
    *done = true;
  }
  core::Task<void> open_directory() {
    directory_ = *co_await core::Directory::open(world_.kernel(), "/data");
  }

  sim::SimWorld world_;
  Poison poison_;
  std::string poisoned_;
  core::Directory directory_;
  std::uint64_t counter_ = 0;
};

inline LoadInfo finished_load(std::uint64_t txn, std::string label, std::uint64_t database = 1) {
  return LoadInfo{.txn = TxnId(txn),
                  .database = DatabaseId(database),
                  .table = TableId(1),
                  .label = std::move(label),
                  .label_kept = true};
}

}  // namespace penstock::txn
