import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Debian keeps it where ordinary users do not look. */
const program: string | undefined = ["mosquitto", "/usr/sbin/mosquitto"].find(
  (name) => spawnSync(name, ["-h"]).error === undefined,
);

export const hasMosquitto: boolean = program !== undefined;

/** A real Mosquitto of our own on a free port of the loopback. */
export class Mosquitto {
  readonly url: string;
  readonly #port: number;
  readonly #directory: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, directory: string) {
    this.#port = port;
    this.#directory = directory;
    this.url = `mqtt://127.0.0.1:${port}`;
  }

  /** @param users passwords by name; without, everybody may do anything */
  static async start(users?: Readonly<Record<string, string>>): Promise<Mosquitto> {
    const port = await freePort();
    const directory = mkdtempSync(join(tmpdir(), "polyphase-mosquitto-"));
    const broker = new Mosquitto(port, directory);
    const access =
      users === undefined ? "allow_anonymous true" : `password_file ${broker.#passwords(users)}`;
    const lines = [`listener ${port} 127.0.0.1`, "set_tcp_nodelay true", "user root", access];
    writeFileSync(join(directory, "mosquitto.conf"), `${lines.join("\n")}\n`);
    await broker.resume();
    return broker;
  }

  #passwords(users: Readonly<Record<string, string>>): string {
    const file = join(this.#directory, "passwords");
    writeFileSync(file, "", { mode: 0o600 });
    for (const [name, password] of Object.entries(users)) {
      spawnSync("mosquitto_passwd", ["-b", file, name, password]);
    }
    return file;
  }

  /** Starts it, again if it was stopped. */
  async resume(): Promise<void> {
    this.#process = spawn(program!, ["-c", join(this.#directory, "mosquitto.conf")], {
      stdio: "ignore",
    });
    while (!(await this.#answers())) await sleep(20);
  }

  async #answers(): Promise<boolean> {
    const socket = connect(this.#port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }

  /** Kills it: its clients see a connection that breaks. */
  async kill(): Promise<void> {
    const ended = once(this.#process!, "close");
    this.#process!.kill("SIGKILL");
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("expected a port");
  return address.port;
}
