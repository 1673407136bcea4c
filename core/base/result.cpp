#include "core/base/result.hpp"

#include <cerrno>
#include <cstring>

namespace penstock::core {

const char* errc_name(Errc code) {
  switch (code) {
    case Errc::InvalidArgument:
      return "InvalidArgument";
    case Errc::NotFound:
      return "NotFound";
    case Errc::AlreadyExists:
      return "AlreadyExists";
    case Errc::Io:
      return "Io";
    case Errc::NoSpace:
      return "NoSpace";
    case Errc::NoBuffers:
      return "NoBuffers";
    case Errc::Corrupt:
      return "Corrupt";
    case Errc::Closed:
      return "Closed";
    case Errc::Cancelled:
      return "Cancelled";
    case Errc::TimedOut:
      return "TimedOut";
    case Errc::TooLarge:
      return "TooLarge";
    case Errc::Unsupported:
      return "Unsupported";
    case Errc::Overloaded:
      return "Overloaded";
    case Errc::ShuttingDown:
      return "ShuttingDown";
  }
  return "Unknown";
}

std::string Error::to_string() const {
  std::string text = context;
  if (os_error != 0) {
    if (!text.empty()) text += ": ";
    text += std::strerror(os_error);
  }
  return text + " (" + errc_name(code) + ")";
}

Error error_from_os(std::int32_t os_error, const char* context) {
  Errc code = Errc::Io;
  switch (os_error) {
    case ENOENT:
      code = Errc::NotFound;
      break;
    case EEXIST:
      code = Errc::AlreadyExists;
      break;
    case ENOSPC:
    case EDQUOT:
      code = Errc::NoSpace;
      break;
    case ENOBUFS:
      code = Errc::NoBuffers;
      break;
    case ECANCELED:
      code = Errc::Cancelled;
      break;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
    case ESHUTDOWN:
      code = Errc::Closed;
      break;
    case ETIMEDOUT:
    case ETIME:
      code = Errc::TimedOut;
      break;
    case EINVAL:
      code = Errc::InvalidArgument;
      break;
    case EOPNOTSUPP:
    case ENOSYS:
      code = Errc::Unsupported;
      break;
    default:
      break;
  }
  return Error{code, os_error, context};
}

}  // namespace penstock::core
