/**
 * The routes of the service, and the middleware that every request passes. Must not contain a handler's code.
 *
 * @module
 */
import { Hono } from "hono";
import type { Auth } from "../auth/auth.ts";
import { RequestCounts } from "../auth/runtime/metrics.ts";
import { account } from "./api/account.ts";
import { emailChange } from "./api/change_email.ts";
import { devMailbox, hasMailbox } from "./api/dev_mailbox.ts";
import { checkSession, session } from "./api/forward_auth.ts";
import { health, readiness } from "./api/health.ts";
import { home, loggedOut } from "./api/home.ts";
import { password } from "./api/password.ts";
import { checkProfile, profile } from "./api/profile.ts";
import { reopen } from "./api/reopen.ts";
import { resetPasswordRoutes } from "./api/reset_password.ts";
import { sessions } from "./api/sessions.ts";
import { undo } from "./api/undo.ts";
import { users } from "./api/users.ts";
import { verification } from "./api/verify_email.ts";
import { docs, openApiDocument } from "./docs/docs.ts";
import type { RequestEnv } from "./http/answers.ts";
import { shareWithOrigins } from "./http/cors.ts";
import { answerError, ERROR_CODES } from "./http/errors.ts";
import { checkHost, checkOrigin, UNSAFE_METHODS } from "./http/origin.ts";
import { logRequests, notFound, recorder } from "./http/request_log.ts";
import { checkSessions } from "./http/session_checks.ts";
import { errorPageOrJson, pages } from "./pages/pages.ts";

/** Makes the HTTP service, for Deno.serve and for tests that call it without a port. */
export function createApp(
  auth: Auth,
  counts: RequestCounts = new RequestCounts(auth.metrics, ERROR_CODES),
): Hono<RequestEnv> {
  const app = createRouter(auth, counts);
  const checks = new Map([["/profile", checkProfile(auth)], ["/session", checkSession(auth)]]);
  app.fetch = checkSessions(auth, recorder(auth, counts), checks, app.fetch);
  return app;
}

/**
 * The service with nothing in front of its router. It gives the same answers and the same lines of the log. What
 * middleware here does to a `GET` of a session check, session_checks.ts must do or leave to the router.
 */
export function createRouter(auth: Auth, counts: RequestCounts): Hono<RequestEnv> {
  const app = new Hono<RequestEnv>({ strict: false });
  app.use(logRequests(auth, recorder(auth, counts)));
  if (auth.config.trustedOrigins.length > 0) app.use(shareWithOrigins(auth));
  if (auth.config.profile === "local") app.use(checkHost());
  app.on(UNSAFE_METHODS, "*", checkOrigin(auth));
  app.route("/", pages(auth));
  app.route("/", home());
  app.route("/logout/done", loggedOut());
  app.route("/users", users(auth));
  app.route("/sessions", sessions(auth));
  app.route("/session", session(auth));
  app.route("/profile", profile(auth));
  app.route("/reset_password", resetPasswordRoutes(auth));
  app.route("/verify_email", verification(auth));
  app.route("/account", account(auth));
  app.route("/password", password(auth));
  app.route("/change_email", emailChange(auth));
  app.route("/undo", undo(auth));
  app.route("/reopen", reopen(auth));
  app.route("/healthz", health());
  app.route("/readyz", readiness(auth));
  app.route("/openapi.json", openApiDocument(auth));
  app.route("/docs", docs(auth));
  if (hasMailbox(auth)) app.route("/dev/mailbox", devMailbox(auth));
  counts.learn(app.routes);
  const lost = notFound(auth, app);
  const asPage = errorPageOrJson(auth);
  app.notFound((c) => asPage(c, lost(c)));
  app.onError((error, c) => asPage(c, answerError(auth, c, error)));
  return app;
}
