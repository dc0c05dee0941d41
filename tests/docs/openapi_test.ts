/**
 * The OpenAPI documents of both profiles are valid, says a validator of others.
 *
 * @module
 */
import assert from "node:assert/strict";
import { openApi } from "../../routes/docs/openapi.ts";
import { faultsOf } from "../kit/process/openapi_tools.ts";
import { PUBLIC_SETTINGS, testConfig } from "../kit/service.ts";

for (const [profile, settings] of Object.entries({ local: {}, public: PUBLIC_SETTINGS })) {
  Deno.test(`C3: the OpenAPI document is valid in the ${profile} profile, and an invalid one is found`, async () => {
    const document = JSON.parse(JSON.stringify(
      openApi({ config: testConfig(settings), origin: "https://accounts.example.com" }),
    ));
    assert.equal(await faultsOf(document), undefined);
    delete document.paths["/users"].post.responses["408"].description;
    assert.notEqual(await faultsOf(document), undefined);
  });
}
