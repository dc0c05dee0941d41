/**
 * How a flow wakes whoever sends mail, without knowing who that is. Must not send.
 *
 * @module
 */

/** Where flows say that a mail waits, so that it leaves soon. */
export class MailBell {
  /** Called at each ring; set by whoever sends. */
  onRing: () => void = () => {};

  /** Says that a mail waits. */
  wake(): void {
    this.onRing();
  }
}
