#include "core/io/file.hpp"

namespace penstock::core {

Task<Result<>> File::write_all(std::uint64_t offset, Bytes bytes, Durable durable, MayBlock may_block) {
  while (!bytes.empty()) {
    CO_TRY(const std::uint64_t written, co_await write(offset, bytes, durable, may_block));
    if (written == 0) co_return fail(Errc::Io, "writing a file: nothing was written");
    offset += written;
    bytes = bytes.subspan(written);
  }
  co_return Result<>{};
}

Task<Result<>> File::read_exact(std::uint64_t offset, std::span<std::byte> into) {
  while (!into.empty()) {
    CO_TRY(const std::uint64_t got, co_await read(offset, into));
    if (got == 0) co_return fail(Errc::Corrupt, "reading a file: it ends early");
    offset += got;
    into = into.subspan(got);
  }
  co_return Result<>{};
}

Task<void> File::close() {
  if (handle_ < 0) co_return;
  const int handle = std::exchange(handle_, -1);
  (void)co_await ResultOp(*kernel_, "closing a file", Op{.kind = OpKind::Close, .handle = handle});
}

namespace {
std::string parent_of(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}
}  // namespace

Task<Result<Directory>> Directory::open(Kernel& kernel, std::string path) {
  CO_TRY_VOID(
      co_await ResultOp(kernel, "making a directory", Op{.kind = OpKind::MakeDir, .path = path.c_str()}));
  // Whatever is made durable in it is worth nothing if its own name is lost. A parent that may not even be opened was not
  // written to by us: then the folder was there before.
  const std::string parent_path = parent_of(path);
  const auto parent_handle = co_await ResultOp(kernel, "opening a parent directory",
                                               Op{.kind = OpKind::OpenDir, .path = parent_path.c_str()});
  if (parent_handle) {
    Directory parent(kernel, static_cast<int>(*parent_handle));
    const auto synced = co_await parent.sync();
    co_await parent.close();
    CO_TRY_VOID(synced);
  }
  CO_TRY(const std::uint64_t handle,
         co_await ResultOp(kernel, "opening a directory", Op{.kind = OpKind::OpenDir, .path = path.c_str()}));
  co_return Directory(kernel, static_cast<int>(handle));
}

Task<Result<File>> Directory::open_file(std::string name, OpenFlags flags) {
  CO_TRY(const std::uint64_t handle,
         co_await ResultOp(*kernel_, flags.create_exclusive ? "creating a file" : "opening a file",
                           Op{.kind = OpKind::Open, .open = flags, .handle = handle_, .path = name.c_str()}));
  co_return File(*kernel_, static_cast<int>(handle));
}

Task<Result<>> Directory::unlink(std::string name) {
  CO_TRY_VOID(co_await ResultOp(*kernel_, "unlinking a file",
                                Op{.kind = OpKind::Unlink, .handle = handle_, .path = name.c_str()}));
  co_return Result<>{};
}

Task<Result<>> Directory::rename(std::string from, std::string to) {
  CO_TRY_VOID(co_await ResultOp(
      *kernel_, "renaming a file",
      Op{.kind = OpKind::Rename, .handle = handle_, .path = from.c_str(), .path_to = to.c_str()}));
  co_return Result<>{};
}

Task<Result<>> Directory::sync() {
  CO_TRY_VOID(co_await ResultOp(*kernel_, "fdatasync of a directory",
                                Op{.kind = OpKind::SyncDir, .handle = handle_}));
  co_return Result<>{};
}

Task<Result<std::vector<std::string>>> Directory::list() {
  std::vector<std::string> names;
  CO_TRY_VOID(co_await ResultOp(*kernel_, "listing a directory",
                                Op{.kind = OpKind::List, .handle = handle_, .names = &names}));
  co_return names;
}

Task<void> Directory::close() {
  if (handle_ < 0) co_return;
  const int handle = std::exchange(handle_, -1);
  (void)co_await ResultOp(*kernel_, "closing a directory", Op{.kind = OpKind::Close, .handle = handle});
}

}  // namespace penstock::core
