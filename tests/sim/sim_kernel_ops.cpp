// What each kind of operation does when its time has come.
#include <algorithm>
#include <cstring>
#include <string_view>

#include "core/base/check.hpp"
#include "core/base/units.hpp"
#include "tests/sim/sim_kernel.hpp"

namespace penstock::sim {

using core::Op;
using core::OpKind;

namespace {

// "host:port", where a host of digits and dots has four parts and a bracket is closed.
bool is_address(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view host = address.substr(0, colon);
  const std::string_view port = address.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string_view::npos)
    return false;
  if (std::stoul(std::string(port)) > 65535) return false;
  if (host.starts_with('[')) return host.ends_with(']');
  if (host.find(':') != std::string_view::npos) return false;
  return host.find_first_not_of("0123456789.") != std::string_view::npos ||
         std::ranges::count(host, '.') == 3;
}

}  // namespace

std::int64_t SimKernel::execute(Slot& slot) {
  Op& op = *slot.op;
  switch (op.kind) {
    case OpKind::Timer:
      return 0;
    case OpKind::Wake:
      static_cast<SimKernel*>(op.target)->wake();
      return 0;
    case OpKind::Listen:
    case OpKind::Accept:
    case OpKind::Recv:
    case OpKind::Send:
    case OpKind::Shutdown:
      return execute_socket(slot);
    case OpKind::Close:
      return handles_.close(op.handle);
    case OpKind::OpenDir:
    case OpKind::Open:
    case OpKind::MakeDir:
    case OpKind::Unlink:
    case OpKind::Rename:
    case OpKind::SyncDir:
    case OpKind::List:
      scene_.disk.tick();
      return execute_name(slot);
    case OpKind::Read:
    case OpKind::Write:
    case OpKind::Sync:
    case OpKind::Allocate:
    case OpKind::Truncate:
    case OpKind::DropCache:
    case OpKind::Size:
    case OpKind::Lock:
      scene_.disk.tick();
      return execute_file(slot);
    default:
      return -EOPNOTSUPP;
  }
}

// A part of what could be had: sockets give and take what they like.
std::size_t SimKernel::split(std::size_t whole, SimRandom& dice) {
  if (whole <= 1 || !dice.percent(options_.split_percent)) return whole;
  return dice.between(1, dice.coin() ? std::min<std::size_t>(whole, 16) : whole);
}

std::int64_t SimKernel::execute_socket(Slot& slot) {
  Op& op = *slot.op;
  if (op.kind == OpKind::Listen) {
    const std::string_view address = op.path;
    if (!is_address(address)) return -EINVAL;
    SimListenerRef listener = scene_.net.listen(address);
    return listener == nullptr ? -EADDRINUSE : handles_.add({.listener = std::move(listener)});
  }
  if (!slot.target.is_used()) return -EBADF;
  if (op.kind == OpKind::Accept) {
    if (slot.target.listener == nullptr || slot.target.listener->closed) return -EINVAL;
    SimConnectionRef connection = std::move(slot.target.listener->backlog.front());
    slot.target.listener->backlog.pop_front();
    return handles_.add({.connection = std::move(connection)});
  }
  if (slot.target.connection == nullptr) return -ENOTSOCK;
  SimConnection& connection = *slot.target.connection;
  if (op.kind == OpKind::Recv) return receive(op, connection);
  if (op.kind == OpKind::Send) return send(op, connection);
  if (connection.reset) return -ENOTCONN;
  connection.server_ended = true;
  return 0;
}

std::int64_t SimKernel::receive(Op& op, SimConnection& connection) {
  if (op.data != nullptr) {
    if (connection.reset) return -ECONNRESET;
    const std::size_t part = split(std::min<std::size_t>(connection.readable(), op.length), scene_.net_dice);
    std::memcpy(op.data, connection.to_server.data() + connection.server_at, part);
    connection.server_at += part;
    return static_cast<std::int64_t>(part);
  }
  Ring& from = ring(op.buffers);
  if (from.free == 0) return -ENOBUFS;  // Linux takes the buffer before it looks at the socket
  if (connection.reset) return -ECONNRESET;
  if (connection.readable() == 0) return 0;
  const std::size_t size =
      split(std::min<std::size_t>(connection.readable(), from.bytes_each), scene_.net_dice);
  if (free_leases_.empty()) {
    free_leases_.push_back(static_cast<std::uint32_t>(leases_.size()));
    leases_.emplace_back();
  }
  const std::uint32_t id = free_leases_.back();
  free_leases_.pop_back();
  leases_[id].bytes = std::make_unique_for_overwrite<std::byte[]>(size + core::Buffer::kSlack);
  leases_[id].ring = op.buffers;
  std::byte* const data = leases_[id].bytes.get();
  std::memcpy(data, connection.to_server.data() + connection.server_at, size);
  std::memset(data + size, 0xA5, core::Buffer::kSlack);  // readable, and never meant
  connection.server_at += size;
  --from.free;
  ++leases_out_;
  op.buffer = core::Buffer(this, id, data, static_cast<std::uint32_t>(size));
  return static_cast<std::int64_t>(size);
}

std::int64_t SimKernel::send(Op& op, SimConnection& connection) {
  if (connection.reset) return -ECONNRESET;
  if (connection.server_ended) return -EPIPE;
  const std::size_t room = connection.window - std::min(connection.window, connection.to_client.size());
  const std::size_t size = split(std::min<std::size_t>(op.length, room), scene_.net_dice);
  connection.to_client.append(reinterpret_cast<const char*>(op.data), size);
  return static_cast<std::int64_t>(size);
}

std::int64_t SimKernel::execute_name(Slot& slot) {
  Op& op = *slot.op;
  SimDisk& disk = scene_.disk;
  const SimInodeRef& directory = slot.target.inode;
  if (op.handle >= 0 && !slot.target.is_used()) return -EBADF;
  if (op.handle >= 0 && (directory == nullptr || !directory->is_directory)) return -ENOTDIR;
  const std::string_view path = op.path == nullptr ? std::string_view{} : op.path;
  const std::string_view name = op.path == nullptr && directory != nullptr ? directory->name : path;
  if (const std::int64_t fault = disk.fault(op.kind, name); fault != 0) return fault;
  switch (op.kind) {
    case OpKind::OpenDir: {
      SimInodeRef found = disk.find_directory(directory, path);
      if (found == nullptr) return -ENOENT;
      if (!found->is_directory) return -ENOTDIR;
      return handles_.add({.inode = std::move(found)});
    }
    case OpKind::MakeDir:
      return disk.make_directory(directory, path);
    default:
      break;
  }
  if (directory == nullptr) return -EBADF;
  switch (op.kind) {
    case OpKind::Open: {
      SimInodeRef file;
      if (const std::int64_t result = disk.open(directory, path, op.open, file); result < 0) return result;
      return handles_.add({.inode = std::move(file),
                           .write = op.open.write || op.open.create_exclusive,
                           .direct = op.open.direct});
    }
    case OpKind::Unlink:
      return disk.unlink(directory, path);
    case OpKind::Rename:
      return disk.rename(directory, path, op.path_to);
    case OpKind::SyncDir:
      return disk.sync_directory(*directory, slot.place, scene_.disk_dice);
    case OpKind::List:
      return disk.list(*directory, *op.names);
    default:
      return -EOPNOTSUPP;
  }
}

std::int64_t SimKernel::execute_file(Slot& slot) {
  Op& op = *slot.op;
  if (!slot.target.is_used()) return -EBADF;
  if (slot.target.inode == nullptr) return -EINVAL;
  SimDisk& disk = scene_.disk;
  SimInode& inode = *slot.target.inode;
  if (op.kind == OpKind::Lock) return handles_.lock(op.handle);
  if (inode.is_directory) return op.kind == OpKind::Sync || op.kind == OpKind::Size ? 0 : -EISDIR;
  if (op.kind == OpKind::Size) return static_cast<std::int64_t>(inode.file.size());
  if (op.kind == OpKind::DropCache) return 0;  // there is no page cache here to read from
  const bool changes = op.kind == OpKind::Write || op.kind == OpKind::Allocate || op.kind == OpKind::Truncate;
  if (changes && !slot.target.write) return op.kind == OpKind::Truncate ? -EINVAL : -EBADF;
  if (op.offset > INT64_MAX || op.length > INT64_MAX - op.offset) return -EFBIG;

  const bool moves_bytes = op.kind == OpKind::Read || op.kind == OpKind::Write;
  if (moves_bytes && slot.target.direct) {
    // The strictest of real disks, so that what works here works on all of them.
    const auto address = reinterpret_cast<std::uintptr_t>(op.data);
    if (op.offset % core::kPage != 0 || op.length % core::kPage != 0 || address % 512 != 0) return -EINVAL;
  }
  if (const std::int64_t fault = disk.fault(op.kind, inode.name); fault != 0) {
    if (op.kind == OpKind::Sync) inode.file.drop_unsynced(slot.place);
    return fault;
  }
  std::size_t length = op.length;
  const std::uint32_t short_percent = op.kind == OpKind::Write ? disk.short_write_percent
                                      : slot.target.direct     ? 0
                                                               : disk.short_read_percent;
  const std::size_t grain = slot.target.direct ? core::kPage : 512;
  if (moves_bytes && length > grain && scene_.disk_dice.percent(short_percent)) {
    length = grain * scene_.disk_dice.between(1, (length - 1) / grain);
  }
  switch (op.kind) {
    case OpKind::Read:
      return disk.read(inode, op.offset, {op.data, length});
    case OpKind::Write:
      return op.durable ? disk.write_durably(inode, op.offset, {op.data, length}, scene_.disk_dice)
                        : disk.write(inode, op.offset, {op.data, length});
    case OpKind::Sync:
      return disk.sync(inode, slot.place, scene_.disk_dice);
    case OpKind::Allocate:
      return disk.allocate(inode, op.offset, op.length);
    case OpKind::Truncate:
      return disk.truncate(inode, op.length);
    default:
      return -EOPNOTSUPP;
  }
}

}  // namespace penstock::sim
