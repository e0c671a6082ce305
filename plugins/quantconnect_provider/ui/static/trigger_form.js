// Placeholder
export function openTriggerForm(navigate, dagId) {
  navigate(`/dags/${dagId}`);
}
