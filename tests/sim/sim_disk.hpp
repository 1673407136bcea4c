// SimDisk: a file system that forgets, lies and fails as real ones do, and that outlives the simulated
// process.
//
// Directories have names that everybody sees and names that a power loss leaves; in between lie name changes
// (create, rename, unlink, mkdir) that no SyncDir has covered, and each of them survives or vanishes on its
// own. Only names in the root ("/", ".", "") are durable at once: that part of the tree is the machine's, not
// ours. Files: see sim_file.hpp.
//
// Two ways to end a process:
//   process_kill   kill -9. The page cache survives: all that had completed stays visible. Operations that
//   were in flight
//                  happen in full, or never; a write may also land LATER, while the next process is already
//                  running.
//   power_loss     the page cache is gone: what no sync covered is kept, dropped, torn or garbage, as the
//   policy says;
//                  writes in flight count as unsynced. Late writes that have not landed never will.
//
// A SimDisk is copyable while no process runs on it (pages are shared, so a copy is cheap): a crash matrix
// takes a copy after the first crash and tries every second crash on copies of it.
#pragma once

#include <cerrno>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/kernel/op.hpp"
#include "tests/sim/sim_file.hpp"
#include "tests/sim/sim_random.hpp"

namespace penstock::sim {

// What a power loss does to name changes that no SyncDir has covered.
enum class NamesPolicy : std::uint8_t { KeepAll, DropAll, Random };

struct SimInode;
using SimInodeRef = std::shared_ptr<SimInode>;

struct SimNameChange {
  std::uint64_t place;
  std::string removed;  // empty: none
  std::string added;    // empty: none
  SimInodeRef inode;    // what `added` names
};

struct SimInode {
  bool is_directory = false;
  std::uint32_t opens = 0;
  std::uint32_t names_count = 0;  // visible names
  std::uint64_t lock_owner = 0;
  std::string name;  // the last name it had, for faults and messages
  SimFile file;
  std::map<std::string, SimInodeRef, std::less<>> names;
  std::map<std::string, SimInodeRef, std::less<>> durable_names;
  std::vector<SimNameChange> pending;
};

// An operation that was in flight when its process died.
struct SimLostOp {
  core::OpKind kind = core::OpKind::Write;
  core::OpenFlags open;
  SimInodeRef inode;  // the file, or the directory of a name
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t place = 0;
  std::vector<std::byte> data;
  std::string path;
  std::string path_to;
};

class SimDisk {
 public:
  SimDisk();
  SimDisk(const SimDisk& other);
  SimDisk& operator=(const SimDisk&) = delete;

  // ---- Faults, each off unless set
  // -------------------------------------------------------------------------------- The nth (1 = the next)
  // operation of `kind` on a file whose name contains `name_part` fails with -error, and nothing happens. A
  // failed Sync also drops the pages it should have covered: later syncs succeed without them, as on Linux.
  // A durable Write is hit by faults of Write and of Sync; by the latter with its bytes in the cache, and on the disk or not.
  void fail_nth(core::OpKind kind, std::string name_part, std::uint32_t nth, int error = EIO);
  // Every one from the nth on.
  void fail_from(core::OpKind kind, std::string name_part, std::uint32_t nth, int error = EIO);
  void clear_faults();
  // Writes and Allocate fail with ENOSPC (a write that fits in part is short) where they would take more than
  // this.
  void set_capacity(std::uint64_t bytes) { capacity_pages_ = bytes / kPageBytes; }
  std::uint64_t used_bytes() const { return used_pages_ * kPageBytes; }
  std::uint32_t short_write_percent =
      0;  // writes that stop early, at a multiple of 512 bytes (4096 where direct)
  std::uint32_t short_read_percent = 0;  // never for a direct file
  std::uint32_t slow_percent = 0;        // operations that take slow_nanos more
  std::int64_t slow_nanos = 2'000'000'000;
  std::uint32_t late_write_percent =
      34;                              // process_kill: of the writes in flight; the others: in full or never
  std::uint32_t late_write_span = 64;  // a late write lands after at most so many further disk operations

  // ---- The end of a process
  // -----------------------------------------------------------------------------------------
  void process_kill(std::span<SimLostOp> in_flight, SimRandom& random);
  void power_loss(UnsyncedPolicy pages, NamesPolicy names, std::span<SimLostOp> in_flight, SimRandom& random);
  std::size_t late_writes() const { return late_.size(); }
  void land_late_writes();  // all of them, now

  // ---- For tests: whole files by path; what is made here is durable at once
  // ------------------------------------------
  void make_path(std::string_view path);
  bool exists(std::string_view path) const;
  std::uint64_t size_of(std::string_view path) const;
  std::vector<std::byte> read_file(std::string_view path) const;  // the newest bytes; empty if there is none
  void write_file(std::string_view path, core::Bytes bytes);
  void remove_file(std::string_view path);
  void flip_bit(std::string_view path, std::uint64_t offset, unsigned bit = 0);
  std::vector<std::string> list_path(std::string_view path) const;

  // ---- For SimKernel: one call an operation; >= 0 or -errno
  // -----------------------------------------------------------
  std::uint64_t place() const {
    return place_;
  }  // changes that complete from now on are at this place or behind it
  void tick();  // before each disk operation: late writes may land
  std::int64_t fault(core::OpKind kind, std::string_view name);  // 0, or the -errno that a fault asks for
  SimInodeRef find_directory(const SimInodeRef& from, std::string_view path) const;  // null: none
  std::int64_t make_directory(const SimInodeRef& from, std::string_view path);
  std::int64_t open(const SimInodeRef& directory, std::string_view name, core::OpenFlags flags,
                    SimInodeRef& out);
  void opened(SimInode& inode) { ++inode.opens; }
  void closed(SimInode& inode);
  std::int64_t read(SimInode& inode, std::uint64_t offset, std::span<std::byte> into);
  std::int64_t write(SimInode& inode, std::uint64_t offset, core::Bytes bytes);
  // A write and a sync of nothing else; a fault that is set for a Sync of the file hits it too.
  std::int64_t write_durably(SimInode& inode, std::uint64_t offset, core::Bytes bytes, SimRandom& random);
  std::int64_t allocate(SimInode& inode, std::uint64_t offset, std::uint64_t length);
  std::int64_t truncate(SimInode& inode, std::uint64_t length);
  std::int64_t sync(SimInode& inode, std::uint64_t place, SimRandom& random);
  std::int64_t unlink(const SimInodeRef& directory, std::string_view name);
  std::int64_t rename(const SimInodeRef& directory, std::string_view from, std::string_view to);
  std::int64_t sync_directory(SimInode& directory, std::uint64_t place, SimRandom& random);
  std::int64_t list(const SimInode& directory, std::vector<std::string>& out) const;

 private:
  static constexpr std::uint64_t kPageBytes = 4096;
  struct Fault {
    core::OpKind kind;
    std::string name_part;
    std::uint32_t countdown;
    int error;
    bool for_ever;
  };
  struct LateWrite {
    SimInodeRef inode;
    std::uint64_t offset;
    std::vector<std::byte> data;
    std::uint32_t countdown;
  };
  SimInodeRef find(const SimInodeRef& from, std::string_view path) const;
  std::int64_t make_room(SimInode& inode, std::uint64_t offset, std::uint64_t length);
  void change_name(SimInode& directory, std::string_view removed, std::string_view added, SimInodeRef inode);
  void settle_name(SimInode& directory, std::string_view name);
  void release_space(SimInode& inode);
  void land(const LateWrite& write_op);
  void run_lost(SimLostOp& op, SimRandom& random);
  void after_power_loss(SimInode& inode, UnsyncedPolicy pages, NamesPolicy names, SimRandom& random,
                        std::vector<SimInode*>& seen);

  SimInodeRef root_;
  std::uint64_t place_ = 1;
  std::uint64_t capacity_pages_ = UINT64_MAX / kPageBytes;
  std::uint64_t used_pages_ = 0;
  std::vector<Fault> faults_;
  std::vector<LateWrite> late_;
};

}  // namespace penstock::sim
