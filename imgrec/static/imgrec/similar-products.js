// <similar-products src="/api/shop/product/42/similar/?limit=8" heading="Similar products">
//   What is there until then, and stays if nothing comes.
// </similar-products>
// Asks the API once it comes near the window and shows what the template tag would. Further
// attributes: link="/p/{id}", credentials. Events, which bubble: imgrec:shown, imgrec:failed.
const NEAR = { rootMargin: "100% 0px" }; // within a window's height, to be there in time
const NAMES = {
  title: ["title", "name"],
  link: ["url", "link"],
  photo: ["image", "photo"],
};

function first(product, kind) {
  const name = NAMES[kind].find((each) => typeof product[each] === "string");
  return name ? product[name] : "";
}

// What may stand in a link: never a script, whatever a product is called.
function address(text) {
  const found = text && URL.canParse(text, document.baseURI) && new URL(text, document.baseURI);
  return found && /^https?:$/.test(found.protocol) ? found.href : "";
}

function make(tag, className, properties = {}) {
  return Object.assign(document.createElement(tag), { className, ...properties });
}

class SimilarProducts extends HTMLElement {
  static observedAttributes = ["src", "link"];
  #before; // what stood here
  #request;
  #watcher = new IntersectionObserver((entries) => {
    if (entries.some((each) => each.isIntersecting)) this.#load();
  }, NEAR);

  connectedCallback() {
    this.#before ??= [...this.childNodes];
    this.#wait();
  }

  disconnectedCallback() {
    this.#watcher.disconnect();
    this.#request?.abort();
  }

  attributeChangedCallback() {
    if (this.#before && this.isConnected) this.#wait();
  }

  #wait() {
    this.disconnectedCallback();
    this.#watcher.observe(this);
  }

  async #load() {
    this.#watcher.disconnect();
    const { signal } = (this.#request = new AbortController());
    const credentials = this.getAttribute("credentials") ?? "same-origin";
    this.setAttribute("aria-busy", "true");
    try {
      const headers = { Accept: "application/json" };
      const answer = await fetch(this.getAttribute("src"), { credentials, headers, signal });
      if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
      const { results } = await answer.json();
      this.replaceChildren(...(results.length ? [this.#list(results)] : this.#before));
      this.#tell("shown", { results });
    } catch (error) {
      if (signal.aborted) return;
      this.replaceChildren(...this.#before);
      this.#tell("failed", { error });
    }
    this.removeAttribute("aria-busy");
  }

  #tell(what, detail) {
    this.dispatchEvent(new CustomEvent(`imgrec:${what}`, { bubbles: true, detail }));
  }

  #list(results) {
    const heading = this.getAttribute("heading");
    const section = make("section", "imgrec");
    if (heading) {
      section.setAttribute("aria-label", heading);
      section.append(make("h2", "imgrec-heading", { textContent: heading }));
    }
    const list = make("ul", "imgrec-grid");
    list.append(...results.map((each) => this.#card(each)));
    section.append(list);
    return section;
  }

  #card(product) {
    const card = make("li", "imgrec-card");
    card.dataset.pk = product.pk ?? product.id ?? "";
    const href = address(this.#link(product));
    const inside = href ? make("a", "imgrec-link", { href }) : make("span", "imgrec-link");
    const src = address(first(product, "photo"));
    const size = { alt: "", width: 400, height: 400, loading: "lazy", decoding: "async" };
    inside.append(
      src ? make("img", "imgrec-photo", { ...size, src }) : make("span", "imgrec-photo"),
      make("span", "imgrec-title", { textContent: first(product, "title") }),
    );
    card.append(inside);
    return card;
  }

  #link(product) {
    const route = this.getAttribute("link");
    const part = (_, name) => encodeURIComponent(product[name] ?? "");
    return route ? route.replace(/\{(\w+)\}/g, part) : first(product, "link");
  }
}

if (!customElements.get("similar-products")) {
  customElements.define("similar-products", SimilarProducts);
}
