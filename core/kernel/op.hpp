// Op: one request to the outside world.
//
// An Op lives inside the coroutine that awaits it, so an I/O allocates nothing. It completes exactly once,
// from Kernel::poll, always: also when cancelled. Its owner must not destroy it before.
//
// Journey:  core/io fills one in -> Kernel::submit -> Kernel::poll calls complete(op).
// Shard:    the shard whose Kernel it was submitted to.
// Promise:  result is >= 0, or -errno; what it counts is said beside each kind.
// Failure:  -errno in result; -ECANCELED after cancel() if it had not happened yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/units.hpp"
#include "core/memory/buffer.hpp"

namespace penstock::core {

class Kernel;

enum class OpKind : std::uint8_t {
  // Sockets. `handle` is the socket.
  Listen,  // path = "host:port" (host may be [v6]); result: handle of the listener
  Accept,  // handle = listener; result: handle of the connection
  Recv,  // one-shot, buffer from the ring `buffers`; result: bytes (0: peer ended its side), `buffer` filled;
         // -ENOBUFS: there is something to receive and the ring is empty (with nothing to receive it waits).
         // With data and length set: into that memory, and no ring is asked
  Send,  // data, length; result: bytes sent, may be fewer
  Shutdown,  // ends our side (SHUT_WR)
  Close,     // file, directory or socket
  // Files. `handle` is the file, or for names the directory, `path` the name in it.
  OpenDir,  // path; result: handle
  Open,     // handle = directory, path, open; result: handle
  Read,     // offset, data, length; result: bytes read, fewer only at the end of the file
  Write,  // offset, data, length; result: bytes written, may be fewer. With `durable` those bytes, and what is
          // needed to read them, are durable when it completes; nothing else of the file is, nor its name
  Sync,   // fdatasync
  Allocate,   // offset, length: reserves space (fallocate, keeps no size): the file's size grows
  Truncate,   // length: sets the size
  DropCache,  // the system need not keep the file's bytes in memory: only advice, what is not durable stays
  Size,       // result: the file's size in bytes
  MakeDir,    // handle = parent directory (or -1), path; an existing one is fine
  Unlink,     // handle = directory, path
  Rename,     // handle = directory, path -> path_to, replaces
  SyncDir,    // handle = directory: names created, renamed or unlinked before are durable after
  List,       // handle = directory; names filled, sorted; "." and ".." left out
  Lock,       // handle = file: exclusive lock, not waiting; -EWOULDBLOCK: held by another process
  // Time and shards.
  Timer,  // completes with 0 when the monotonic clock reaches `deadline`
  Wake,   // makes target's poll() return
};

// Which receive ring a Recv takes its buffer from (architecture section 2, Receive).
enum class BufferRing : std::uint8_t { Head, Body };

struct OpenFlags {
  bool write = false;
  bool create_exclusive = false;  // must not exist yet
  bool direct = false;  // O_DIRECT; the kernel falls back to buffered I/O where the file system refuses it
};

struct Op {
  OpKind kind = OpKind::Timer;
  BufferRing buffers = BufferRing::Head;
  bool durable = false;  // Write
  // Write: the file system may keep its caller waiting (to map reserved space, split an extent, free blocks): a worker of
  // the kernel's takes it from the start, never the shard's thread. A few microseconds more, so not for small ones.
  bool may_block = false;
  OpenFlags open;
  int handle = -1;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::byte* data = nullptr;  // Send and Write only read it
  const char* path = nullptr;
  const char* path_to = nullptr;
  Instant deadline;
  Kernel* target = nullptr;

  std::int64_t result = 0;
  Buffer buffer;
  std::vector<std::string>* names = nullptr;

  void (*complete)(Op& op) = nullptr;

  // The Kernel's own, while the op is submitted.
  Op* next = nullptr;
  std::size_t heap_index = SIZE_MAX;
  std::uint32_t kernel_state = 0;
};

}  // namespace penstock::core
