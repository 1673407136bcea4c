#include "net/query/rest_user.hpp"

#include "net/query/rest_reply.hpp"

namespace penstock::net {

core::Task<std::optional<User>> rest_user(Exchange& exchange, Authenticator& authenticator) {
  auto user = co_await authenticator.check(exchange.request());
  if (user) co_return std::optional<User>(std::move(*user));
  (void)co_await exchange.reply(rest_unauthorized(user.error()));
  co_return std::nullopt;
}

core::Task<std::optional<User>> rest_user(Exchange& exchange, Authenticator& authenticator, Act act) {
  auto user = co_await rest_user(exchange, authenticator);
  if (!user || user->may(act, exchange.parameter("db"))) co_return user;
  (void)co_await exchange.reply(rest_denied(act));
  co_return std::nullopt;
}

}  // namespace penstock::net
