// File and Directory: durable bytes and names over the seam.
//
// Journey:  txn/journal and txn/checkpoint -> [File, Directory] -> Kernel.
// Shard:    a File belongs to the shard that opened it.
// Promise:  write_all returns when every byte was accepted by the kernel (durable only after sync, or with Durable::Yes);
//           read_exact when every byte was read. close() must have been awaited before destruction.
// Failure:  the Errc of the operation; a short read_exact is Errc::Corrupt ("file ends early").
#pragma once

#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/check.hpp"
#include "core/base/result.hpp"
#include "core/kernel/await_op.hpp"
#include "core/task/task.hpp"

namespace penstock::core {

class File {
 public:
  File() = default;
  File(Kernel& kernel, int handle) : kernel_(&kernel), handle_(handle) {}
  File(File&& other) noexcept : kernel_(other.kernel_), handle_(std::exchange(other.handle_, -1)) {}
  File& operator=(File&& other) noexcept {
    CHECK(handle_ < 0);
    kernel_ = other.kernel_;
    handle_ = std::exchange(other.handle_, -1);
    return *this;
  }

  bool is_open() const { return handle_ >= 0; }
  int handle() const { return handle_; }

  enum class Durable : bool { No, Yes };
  // Yes: the submission may not hold up the shard, however long the file system takes to find the place (Op::may_block).
  enum class MayBlock : bool { No, Yes };
  ResultOp write(std::uint64_t offset, Bytes bytes, Durable durable = Durable::No,
                 MayBlock may_block = MayBlock::No) {
    return ResultOp(*kernel_, durable == Durable::Yes ? "writing a file durably" : "writing a file",
                    Op{.kind = OpKind::Write,
                       .durable = durable == Durable::Yes,
                       .may_block = may_block == MayBlock::Yes,
                       .handle = handle_,
                       .offset = offset,
                       .length = bytes.size(),
                       .data = const_cast<std::byte*>(bytes.data())});
  }
  ResultOp read(std::uint64_t offset, std::span<std::byte> into) {
    return ResultOp(*kernel_, "reading a file",
                    Op{.kind = OpKind::Read,
                       .handle = handle_,
                       .offset = offset,
                       .length = into.size(),
                       .data = into.data()});
  }
  ResultOp sync() { return simple(OpKind::Sync, "fdatasync of a file"); }
  ResultOp size() { return simple(OpKind::Size, "asking a file's size"); }
  ResultOp lock() { return simple(OpKind::Lock, "locking a file"); }
  ResultOp allocate(std::uint64_t offset, std::uint64_t length) {
    return ResultOp(*kernel_, "reserving disk space",
                    Op{.kind = OpKind::Allocate, .handle = handle_, .offset = offset, .length = length});
  }
  ResultOp truncate(std::uint64_t length) {
    return ResultOp(*kernel_, "truncating a file",
                    Op{.kind = OpKind::Truncate, .handle = handle_, .length = length});
  }
  // What was read of it makes room in the page cache. Advice: a failure means nothing.
  ResultOp drop_cache() { return simple(OpKind::DropCache, "dropping a file from the page cache"); }
  // Durable::Yes: with an fdatasync in it, of these bytes only; earlier writes of the file stay as durable as they were. After
  // a failure nobody knows what is on the disk, as after a failed sync.
  Task<Result<>> write_all(std::uint64_t offset, Bytes bytes, Durable durable = Durable::No,
                           MayBlock may_block = MayBlock::No);
  Task<Result<>> read_exact(std::uint64_t offset, std::span<std::byte> into);
  Task<void> close();

 private:
  ResultOp simple(OpKind kind, const char* context) {
    return ResultOp(*kernel_, context, Op{.kind = kind, .handle = handle_});
  }
  Kernel* kernel_ = nullptr;
  int handle_ = -1;
};

class Directory {
 public:
  Directory() = default;
  Directory(Kernel& kernel, int handle) : kernel_(&kernel), handle_(handle) {}

  // Opens `path`, made first (one level) if it does not exist; its own name is durable after.
  static Task<Result<Directory>> open(Kernel& kernel, std::string path);

  bool is_open() const { return handle_ >= 0; }
  Task<Result<File>> open_file(std::string name, OpenFlags flags);
  Task<Result<>> unlink(std::string name);
  Task<Result<>> rename(std::string from, std::string to);
  Task<Result<>> sync();
  Task<Result<std::vector<std::string>>> list();
  Task<void> close();
  // Another shard's view of the same directory: the handle is the process's, the Kernel is the shard's own.
  Directory on(Kernel& kernel) const { return Directory(kernel, handle_); }

 private:
  Kernel* kernel_ = nullptr;
  int handle_ = -1;
};

}  // namespace penstock::core
