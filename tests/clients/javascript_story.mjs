// What a user of the npm client 1.4.0 does; run by test_javascript.py. Prints one JSON value.
// Usage: node javascript_story.mjs PATH_OF_THE_CLIENT STORY VERSION...

const [client, story, empty, words, files, slow] = process.argv.slice(2);
const { default: Replicate } = await import(client);
const auth = process.env.REPLICATE_API_TOKEN;
const baseUrl = process.env.REPLICATE_BASE_URL;
const replicate = new Replicate({ auth, baseUrl });

const stories = {
  async run() {
    return [
      await replicate.run(`local/empty:${empty}`, { input: { text: "hello" } }),
      await replicate.run("local/empty", { input: { text: "named" } }),
      await replicate.run(`local/concatenate:${words}`, { input: { pieces: 3 } }),
    ];
  },
  async poll() {
    const wait = { mode: "poll", interval: 50 };
    return replicate.run(`local/empty:${empty}`, { input: { text: "polled" }, wait });
  },
  async longerThanTheWait() {
    const wait = { mode: "block", timeout: 1, interval: 50 };
    return replicate.run(`local/cancellable:${slow}`, { input: { limit_s: 2 }, wait });
  },
  async stream() {
    let text = "";
    const kinds = new Set();
    for await (const event of replicate.stream(`local/concatenate:${words}`, { input: { pieces: 4 } })) {
      kinds.add(event.event);
      if (event.event === "output") text += event.data;
    }
    return [text, [...kinds]];
  },
  async streamError() {
    try {
      for await (const _ of replicate.stream(`local/concatenate:${words}`, { input: { pieces: 1, fail: true } }));
    } catch (error) {
      return error.message;
    }
  },
  async background() {
    let prediction = await replicate.predictions.create({ version: empty, input: { text: "back" } });
    prediction = await replicate.wait(prediction, { interval: 50 });
    const { results } = await replicate.predictions.list();
    return [prediction.status, prediction.output, results.some((p) => p.id === prediction.id)];
  },
  async cancel() {
    const prediction = await replicate.predictions.create({ version: slow, input: { limit_s: 600 } });
    return (await replicate.predictions.cancel(prediction.id)).status;
  },
  async abort() {
    const abort = new AbortController();
    let id;
    const progress = (prediction) => {
      id = prediction.id;
      abort.abort();
    };
    const wait = { mode: "poll", interval: 50 };
    await replicate.run(`local/cancellable:${slow}`, { input: { limit_s: 600 }, wait, signal: abort.signal }, progress);
    return (await replicate.predictions.get(id)).status;
  },
  async fileInAndOut() {
    return replicate.run(`local/file_round_trip:${files}`, { input: { source: Buffer.from("stressed") } });
  },
  async filesApi() {
    const made = await replicate.files.create(Buffer.from("some bytes"), { about: "test" });
    const found = await replicate.files.get(made.id);
    const listed = (await replicate.files.list()).results.some((file) => file.id === made.id);
    await replicate.files.delete(made.id);
    return [made.size, found.metadata, listed];
  },
  async errors() {
    const attempts = [
      () => replicate.predictions.create({ version: words, input: { pieces: "many" } }),
      () => replicate.models.get("local", "nothing"),
      () => new Replicate({ auth: "r8_wrong", baseUrl }).accounts.current(),
    ];
    const found = [];
    for (const attempt of attempts) {
      try {
        await attempt();
      } catch (error) {
        found.push([error.name, error.response.status]);
      }
    }
    try {
      await replicate.run(`local/concatenate:${words}`, { input: { pieces: 0, fail: true } });
    } catch (error) {
      found.push(error.message);
    }
    return found;
  },
  async deployments() {
    const { deployments } = replicate;
    const scaling = { min_instances: 0, max_instances: 1 };
    const config = { name: "javascript", model: "local/empty", version: empty, hardware: "cpu", ...scaling };
    const made = await deployments.create(config);
    const found = await deployments.get("local", "javascript");
    const { results } = await deployments.list();
    let prediction = await deployments.predictions.create("local", "javascript", { input: { text: "deployed" } });
    prediction = await replicate.wait(prediction, { interval: 50 });
    const changed = await deployments.update("local", "javascript", { max_instances: 2 });
    const refused = await deployments.delete("local", "javascript").catch((error) => error.response.status);
    await deployments.update("local", "javascript", { min_instances: 0, max_instances: 0 });
    const deleted = await deployments.delete("local", "javascript");
    const numbers = [made, found, changed].map((deployment) => deployment.current_release.number);
    const listed = results.some((deployment) => deployment.name === "javascript");
    return [prediction.output, prediction.deployment, numbers, listed, refused, deleted];
  },
  async trainings() {
    const wanted = { visibility: "private", hardware: "cpu" };
    const destination = "local/learned-by-javascript";
    await replicate.models.create("local", "learned-by-javascript", wanted);
    const { latest_version: version } = await replicate.models.get("local", "training");
    const train = (input) => replicate.trainings.create("local", "training", version.id, { destination, input });
    let made = await train({ text: "data:text/plain;base64,aGk=" });
    while (!["succeeded", "failed", "canceled"].includes(made.status)) made = await replicate.trainings.get(made.id);
    const slow = await train({ text: "data:,x", pause_s: 60 });
    const canceled = await replicate.trainings.cancel(slow.id);
    const listed = (await replicate.trainings.list()).results.map((training) => training.id);
    const learned = await replicate.run(made.output.version, { input: { text: "!" } });
    return [made.status, learned, canceled.status, listed.includes(made.id), listed.includes(slow.id)];
  },
  async catalogue() {
    // After stories.stocked.
    const published = "c".repeat(64);
    const collections = await replicate.collections.list();
    const found = await replicate.models.search("hollowness");
    return [
      (await replicate.hardware.list())[0].sku,
      collections.results.some((collection) => collection.slug === "images"),
      (await replicate.collections.get("images")).models.map((model) => model.name),
      found.results.map((model) => model.name),
      (await replicate.models.list()).results.some((model) => model.name === "empty"),
      (await replicate.models.get("local", "empty")).default_example.output,
      (await replicate.models.versions.get("acme", "empty", published)).id === empty,
      await replicate.run(`acme/empty:${published}`, { input: { text: "pinned" } }),
      await replicate.run("acme/empty", { input: { text: "named" } }),
    ];
  },
  async account() {
    const { key } = await replicate.webhooks.default.secret.get();
    const versions = await replicate.models.versions.list("local", "empty");
    return [
      (await replicate.accounts.current()).username,
      key.startsWith("whsec_"),
      versions.results.map((version) => version.id === empty),
    ];
  },
  async pages() {
    // After stories.paged.
    const ids = [];
    let pages = 0;
    for await (const page of replicate.paginate(replicate.predictions.list)) {
      pages += 1;
      ids.push(...page.map((prediction) => prediction.id));
    }
    return [pages > 1, ids.length > 100, new Set(ids).size === ids.length];
  },
};

console.log(JSON.stringify(await stories[story]()));
