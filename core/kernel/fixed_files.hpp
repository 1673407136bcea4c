// FixedFiles: files this ring has registered, so that their reads, writes and syncs look up no descriptor.
//
// Files opened for writing (journal, commit log) take a slot of a sparse table when they are opened and leave it when they
// are closed. A full table, or a kernel that refuses it, costs nothing but the look-up.
//
// Journey:  UringKernel (Open completes, Close is submitted) -> [FixedFiles] -> IOSQE_FIXED_FILE on file operations.
// Shard:    one per UringKernel.
// Promise:  a slot is never used for a handle that was closed.
// Failure:  registration that fails leaves the handle unregistered.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace penstock::core {

class FixedFiles {
 public:
  static constexpr unsigned kSlots = 64;

  // Returns whether the kernel took the table.
  bool open(io_uring& ring) {
    if (io_uring_register_files_sparse(&ring, kSlots) != 0) return false;
    ring_ = &ring;
    for (int slot = kSlots - 1; slot >= 0; --slot) free_.push_back(slot);
    return true;
  }
  void add(int handle) {
    if (ring_ == nullptr || free_.empty() || slots_.contains(handle)) return;
    const int slot = free_.back();
    if (io_uring_register_files_update(ring_, static_cast<unsigned>(slot), &handle, 1) != 1) return;
    free_.pop_back();
    slots_.emplace(handle, slot);
  }
  void remove(int handle) {
    const auto found = slots_.find(handle);
    if (found == slots_.end()) return;
    const int none = -1;
    (void)io_uring_register_files_update(ring_, static_cast<unsigned>(found->second), &none, 1);
    free_.push_back(found->second);
    slots_.erase(found);
  }
  void use(io_uring_sqe& sqe, int handle) const {
    const auto found = slots_.find(handle);
    if (found == slots_.end()) return;
    sqe.fd = found->second;
    sqe.flags |= IOSQE_FIXED_FILE;
  }
  std::size_t count() const { return slots_.size(); }

 private:
  io_uring* ring_ = nullptr;
  std::vector<int> free_;
  std::unordered_map<int, int> slots_;
};

}  // namespace penstock::core
