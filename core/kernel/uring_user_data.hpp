// What the 64 bits of a completion's user_data mean.
//
// Journey:  UringKernel writes it into a submission and reads it from the completion.
// Shard:    any; constants.
// Promise:  the kinds never mix: Ops and AcceptQueues are aligned to 8 bytes.
// Failure:  none.
#pragma once

#include <cstdint>

namespace penstock::core {

inline constexpr std::uint64_t kUserDataWake = 0;     // another shard's Wake: makes poll return
inline constexpr std::uint64_t kUserDataIgnored = 2;  // the answer to a cancellation
inline constexpr std::uint64_t kUserDataAccept = 1;   // lowest bit: an AcceptQueue; else an Op

// Op::kernel_state of every Op but a Timer (whose heap keeps its turn there).
inline constexpr std::uint32_t kInRing = 1;
inline constexpr std::uint32_t kWaitsForRoom = 2;
inline constexpr std::uint32_t kWaitsForConnection = 4;
inline constexpr std::uint32_t kCancelAsked = 8;
inline constexpr std::uint32_t kCancelUnsent = 16;
inline constexpr std::uint32_t kSecondTry = 32;

}  // namespace penstock::core
