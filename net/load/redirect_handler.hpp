// RedirectHandler: the second listener that plays Doris's front end: loads and two-phase operations get a 307 to the main
// listener, everything else is answered as there.
//
// A 307 goes out only while no byte of the body has come: a client that has begun to send goes on with the rest of its
// body at the new place, and rows would be lost in silence. Such a load, and one whose client would not wait (no Expect),
// is taken here. Location carries the user and password of the request, as the front end's does: some clients drop the
// Authorization header when the port changes.
//
// Journey:  the front listener's Server -> [RedirectHandler] -> 307, or the Router of the main listener.
// Shard:    one per shard.
// Promise:  nothing is waited for before the 307; what stands in Location cannot leave its line.
// Failure:  a request without readable credentials, and one that names no host while none is configured, is not redirected.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "net/http/exchange.hpp"

namespace penstock::net {

class RedirectHandler final : public Handler {
 public:
  // `main_address`: host:port of the main listener; its port goes into Location, its host where the client names none.
  RedirectHandler(Handler& main, std::string main_address)
      : main_(main), main_address_(std::move(main_address)) {}
  // The address that was really taken, once that is known.
  void set_main_address(std::string address) { main_address_ = std::move(address); }
  core::Task<void> handle(Exchange& exchange) override;

 private:
  // Empty: this request is not to be redirected.
  std::string location_for(const Exchange& exchange) const;

  Handler& main_;
  std::string main_address_;
};

}  // namespace penstock::net
