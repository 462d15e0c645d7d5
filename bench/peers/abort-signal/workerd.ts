import { serve } from "../../workerd/serve.ts";
import { peer } from "./index.ts";

export default serve(peer);
