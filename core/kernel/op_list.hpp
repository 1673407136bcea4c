// OpList: a first-in first-out list of Ops, threaded through Op::next.
//
// Journey:  the Kernel's own lists of Ops that wait for something.
// Shard:    one per Kernel.
// Promise:  an Op is in one list at most; nothing is allocated.
// Failure:  none.
#pragma once

#include <utility>

#include "core/kernel/op.hpp"

namespace penstock::core {

class OpList {
 public:
  bool is_empty() const { return head_ == nullptr; }
  void push(Op& op) {
    op.next = nullptr;
    (tail_ != nullptr ? tail_->next : head_) = &op;
    tail_ = &op;
  }
  Op* pop() {
    Op* const op = head_;
    if (op == nullptr) return nullptr;
    head_ = std::exchange(op->next, nullptr);
    if (head_ == nullptr) tail_ = nullptr;
    return op;
  }
  // Takes `op` out wherever it stands; false: it is not here.
  bool remove(Op& op) {
    Op* before = nullptr;
    for (Op* at = head_; at != nullptr; before = at, at = at->next) {
      if (at != &op) continue;
      (before != nullptr ? before->next : head_) = op.next;
      if (tail_ == &op) tail_ = before;
      op.next = nullptr;
      return true;
    }
    return false;
  }
  OpList take_all() { return std::exchange(*this, OpList()); }

 private:
  Op* head_ = nullptr;
  Op* tail_ = nullptr;
};

}  // namespace penstock::core
