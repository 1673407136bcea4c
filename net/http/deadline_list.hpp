// DeadlineList: the time limits of all connections of a shard, looked at by one coroutine every tick.
//
// A timer for each recv would cost an operation for each recv; a limit of seconds needs no such precision.
//
// Journey:  Wire arms its entry before it waits -> HttpShard's ticker -> [DeadlineList] -> Wire::expire.
// Shard:    one shard.
// Promise:  an armed entry expires once, at the first tick at or after its moment; adding and removing cost
//           nothing.
// Failure:  none.
#pragma once

#include "core/base/check.hpp"
#include "core/base/units.hpp"

namespace penstock::net {

class DeadlineEntry {
 public:
  DeadlineEntry() = default;
  DeadlineEntry(const DeadlineEntry&) = delete;
  DeadlineEntry& operator=(const DeadlineEntry&) = delete;

  void arm(core::Instant deadline) { deadline_ = deadline; }
  void disarm() { deadline_ = core::Instant::never(); }
  virtual void expire() = 0;

 protected:
  ~DeadlineEntry() { CHECK(previous_ == nullptr); }

 private:
  friend class DeadlineList;
  DeadlineEntry* previous_ = nullptr;
  DeadlineEntry* next_ = nullptr;
  core::Instant deadline_ = core::Instant::never();
};

class DeadlineList {
 public:
  DeadlineList() { root_.previous_ = root_.next_ = &root_; }
  ~DeadlineList() { root_.previous_ = root_.next_ = nullptr; }

  void add(DeadlineEntry& entry) {
    entry.previous_ = root_.previous_;
    entry.next_ = &root_;
    root_.previous_->next_ = &entry;
    root_.previous_ = &entry;
  }
  void remove(DeadlineEntry& entry) {
    entry.previous_->next_ = entry.next_;
    entry.next_->previous_ = entry.previous_;
    entry.previous_ = entry.next_ = nullptr;
  }
  // expire() may neither add nor remove: it asks a coroutine to go on, which happens later.
  void tick(core::Instant now) {
    for (DeadlineEntry* entry = root_.next_; entry != &root_; entry = entry->next_) {
      if (entry->deadline_ > now) continue;
      entry->disarm();
      entry->expire();
    }
  }
  template <class F>
  void for_each(F visit) {
    for (DeadlineEntry* entry = root_.next_; entry != &root_; entry = entry->next_) visit(*entry);
  }

 private:
  struct Root final : DeadlineEntry {
    void expire() override {}
  };
  Root root_;
};

}  // namespace penstock::net
