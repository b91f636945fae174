import { useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { Empty, Loaded } from '../../parts/loaded';
import { PageHead } from '../../parts/page-head';
import { CatalogueState } from './catalogue-state';
import { Filters, isShown, useFilter } from './filters';
import { ModelTable } from './model-table';

/** The model catalogue that is in force. */
export default function Models() {
  const query = api.useQuery('get', '/api/v1/sysadmin/models');
  return (
    <>
      <PageHead title="Models" description="The models that calls can name, and where those calls go." />
      <Loaded query={query}>
        {(catalogue) => (
          <>
            <CatalogueState catalogue={catalogue} />
            <FilteredModels models={catalogue.models} />
          </>
        )}
      </Loaded>
    </>
  );
}

function FilteredModels({ models }: { models: readonly Schemas['CatalogueModelResponse'][] }) {
  const [filter, set] = useFilter();
  const { search, kind, provider, hosting } = filter;
  const shown = useMemo(
    () => models.filter((model) => isShown(model, { search, kind, provider, hosting })),
    [models, search, kind, provider, hosting],
  );
  if (models.length === 0) {
    return (
      <Empty title="The catalogue has no models">
        No call can name one. Add models to the file, and Tenkey reads it within seconds.
      </Empty>
    );
  }
  return (
    <>
      <Filters models={models} shown={shown.length} filter={filter} set={set} />
      {shown.length === 0 ? (
        <Empty title="No model matches">Change the search or the filters.</Empty>
      ) : (
        <ModelTable models={shown} />
      )}
    </>
  );
}
